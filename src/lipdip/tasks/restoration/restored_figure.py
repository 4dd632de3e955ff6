"""The pictures of a restoration side by side: clean, measured, dense, winning ticket, last round."""

from collections.abc import Sequence
from pathlib import Path

from lipdip.figures.run_figures import GIVEN, RunPanel, comparison, lost_in_words, networks_own
from lipdip.fit.scores import Scored
from lipdip.runs.matching import answer, most_sparse_matching
from lipdip.runs.rows import Round
from lipdip.tasks.restoration.restored import PictureScores, Restored


def restored_figure(images: Path, rounds: Sequence[Round], scores: Sequence[PictureScores]) -> bytes:
    """A PNG of a run's pictures.

    Args:
        images: the run's folder of pictures.
        rounds: its rows.
        scores: the rows of each of several pictures; none: there is one picture.
    """
    own: dict[tuple[str, int], Scored] = {(row.picture, row.round): row for row in scores}

    def below(name: str, panel: RunPanel) -> str:
        row = panel.row
        if not isinstance(row, Restored):
            return lost_in_words(images / name, panel.file)
        found = own.get((name, row.round), row)
        kept = (images / name / f"{networks_own(panel.file)}.png").exists()
        score = found.psnr_consistent if kept else found.psnr_best
        how = " with the data kept" * kept
        return f"{f'loss {row.loss:.2e}' if score is None else f'{score:.2f} dB{how}'}, {row.kept_weights:,} weights"

    return comparison(images, [*GIVEN, *_restored(rounds)], list(dict.fromkeys(row.picture for row in scores)), below)


def _restored(rounds: Sequence[Round]) -> list[RunPanel]:
    first, last, winner = rounds[0], rounds[-1], most_sparse_matching(rounds)
    panels = [RunPanel("restored_dense", "dense", first)]
    if first.sparsity > 0:
        panels = [RunPanel("restored_ticket", f"ticket, sparsity {first.sparsity:.3f}", first)]
    if winner is not None:
        panels.append(RunPanel("restored_matching", f"winning ticket, sparsity {winner.sparsity:.3f}", winner))
    chosen = answer(rounds)
    if winner is None and chosen is not None and chosen is not last:
        panels.append(RunPanel("restored_answer", f"answer, sparsity {chosen.sparsity:.3f}", chosen))
    if len(rounds) > 1 and last is not winner:
        panels.append(RunPanel("restored_last", f"last round, sparsity {last.sparsity:.3f}", last))
    return panels
