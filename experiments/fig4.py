"""Fig. 4: one ticket for several pictures, against tickets of single pictures (the runs of Fig. 14).

python experiments/fig4.py
"""

from study import Found, Study, start


def use(study: Study, found: list[Found]) -> None:
    """All tickets on every single picture."""
    single = [run for run in study.sweep(experiment="fig14") if not run.several]
    study.transfer([*single, *found], found_on, single, lambda run: run["image"])


def found_on(run: Found) -> str:
    """What a ticket was found on, in words."""
    sharing = run["sharing"] or "a_code_each"
    return f"several pictures, {sharing.replace('_', ' ')}" if run.several else f"found on {run['image']}"


if __name__ == "__main__":
    start("fig4", use)
