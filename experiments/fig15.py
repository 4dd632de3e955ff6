"""Fig. 15: random masks, with and without a ticket's density in every layer, and a ticket's mask on new weights.

python experiments/fig15.py
"""

from study import Found, Study, of, paths, start


def control(study: Study, found: list[Found]) -> list[Found]:
    """Controls of IMP's tickets: those of every picture and seed."""
    controls = []
    for image in dict.fromkeys(run["image"] for run in found):
        imp = [run for run in found if run["image"] == image and run["pruner"] == "imp"]
        # ++: IMP, with which a sweep over pruners is first composed, has no such setting
        tickets = (f"++pruner.ticket={of('imp')}", *paths(imp, lambda run: run.directory))
        controls += study.sweep(f"image={image}", "pruner=random_layerwise,reinit", *tickets, experiment="fig15")
    return controls


if __name__ == "__main__":
    start("fig15", control)
