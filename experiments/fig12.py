"""Fig. 12: pictures of a fit as it goes on, dense and with a ticket.

python experiments/fig12.py
"""

from study import Found, Study, start

from lipdip.runs.reading import read_summary

ROUND = 6  # sparsity 0.738
SHARES = (8, 4, 2, 1)  # of the budget an eighth, a quarter, a half, and all


def stop_early(study: Study, found: list[Found]) -> None:
    """The dense network and the ticket, with fewer steps: a fit of 100 steps equals the first 100 of a longer one."""
    budget = read_summary(found[0].directory)["configuration"]["fit"]["steps"]
    shorter = ("pruner=none", f"fit.steps={','.join(str(max(1, budget // share)) for share in SHARES)}")
    study.sweep(*shorter)
    study.sweep(*shorter, each=[run.hand_on("ticket.path", run.ticket(ROUND)) for run in found])


if __name__ == "__main__":
    start("fig12", stop_early)
