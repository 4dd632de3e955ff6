"""The effect of each quirk of the public scripts on IMP and random masks, alone and together; not in the paper.

python experiments/audit.py
"""

from study import Found, Study, start


def again(study: Study, found: list[Found]) -> list[Found]:
    """Masks that IMP found on the clean picture, without quirks and with all, fitted likewise to the degraded one."""
    fitted = []
    for found_with, fitted_with in (("clean", "none"), ("all", "all")):
        imp = [run for run in found if run["pruner"] == "imp" and run["quirk"] == found_with]
        masks = [run.hand_on("pruner.ticket", run.directory) for run in imp]
        fitted += study.sweep("pruner=ticket", f"quirk={fitted_with}", each=masks, experiment="audit")
    return fitted


if __name__ == "__main__":
    start("audit", again)
