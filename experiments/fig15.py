"""Fig. 15: random masks, with and without a ticket's density in every layer, and a ticket's mask on new weights.

python experiments/fig15.py
"""

from study import Found, Study, start


def control(study: Study, found: list[Found]) -> list[Found]:
    """Controls of IMP's tickets: those of every picture and seed."""
    tickets = [run.hand_on("pruner.ticket", run.directory) for run in found if run["pruner"] == "imp"]
    return study.sweep("pruner=random_layerwise,reinit", each=tickets, experiment="fig15")


if __name__ == "__main__":
    start("fig15", control)
