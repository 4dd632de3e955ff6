"""Fig. 5: tickets of one restoration task on the others.

python experiments/fig5.py
"""

from study import Found, Study, start


def use(study: Study, found: list[Found]) -> None:
    """Every task's ticket on every task."""
    study.transfer(found, lambda run: f"found by {run['task']}", found, lambda run: run["task"])


if __name__ == "__main__":
    start("fig5", use)
