"""Fig. 6: tickets of denoising on classification, and the reverse.

python experiments/fig6.py
"""

from study import Found, Study, start


def use(study: Study, found: list[Found]) -> None:
    """Both tickets on both problems."""
    study.transfer(found, lambda run: f"found by {what(run)}", found, what)


def what(run: Found) -> str:
    """What a network is for, in words."""
    return run["dataset"] if run["task"] == "classify" else run["task"]


if __name__ == "__main__":
    start("fig6", use)
