"""Fig. 14: tickets of other pictures, and of several, on one picture.

python experiments/fig14.py
"""

from fig4 import found_on
from study import Found, Study, start


def use(study: Study, found: list[Found]) -> None:
    """All tickets on every single picture."""
    study.transfer(found, found_on, [run for run in found if not run.several], lambda run: run["image"])


if __name__ == "__main__":
    start("fig14", use)
