"""Whether our numbers were measured as the paper's, so that they may be compared."""

import math
from collections.abc import Mapping
from typing import Any

from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.lines import Drawn, Panel
from lipdip.reports.paper import DECODERS, SETTINGS
from lipdip.reports.selectors import is_decoder, task


def comparability(drawn: Drawn, panel: Panel) -> str:
    """Whether ours were measured as the paper's, as far as the runs' settings say."""
    protocols = sorted({str(run.given("protocol.name")) for run in panel.runs})
    apart = [f"protocol={name}" for name in protocols if name != "paper"]
    wanted = drawn.exhibit.paper.pictures
    others = [name for name in panel.pictures if wanted and name not in wanted and name.split()[-1] not in wanted]
    apart += [*others[:2], *([f"and {len(others) - 2} more"] if len(others) > 2 else [])]
    apart += _other_settings(panel)
    return f"Ours differ ({', '.join(apart)}): not directly comparable." if apart else "Ours have that setting."


def _other_settings(panel: Panel) -> list[str]:
    """Settings that differ from the paper's, each once."""
    found = [
        f"{name}={_short(run.at(name))}"
        for run in panel.runs
        for name, published in _settings(run).items()
        if run.at(name) is not None and not _equal(run.at(name), published)
    ]
    return list(dict.fromkeys(found))


def _settings(run: FinishedRun) -> Mapping[str, Any]:
    """The paper's settings for a run's task and network."""
    return {**SETTINGS.get(task(run), {}), **(DECODERS.get(task(run), {}) if is_decoder(run) else {})}


def _equal(own: Any, published: Any) -> bool:
    if isinstance(own, int | float) and isinstance(published, int | float):
        return math.isclose(own, published, rel_tol=1e-6)
    return bool(own == published)


def _short(own: Any) -> str:
    return f"{own:.4g}" if isinstance(own, float) else str(own)
