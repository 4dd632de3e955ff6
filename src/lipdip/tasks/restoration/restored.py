"""What a run that restores pictures says of a round, and in which words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from typing_extensions import override

from lipdip.fit.scores import Scored
from lipdip.runs.rows import Round, number


@dataclass(frozen=True, kw_only=True)
class Restored(Scored, Round):
    """A round of restoring pictures; of several, the mean of their scores, and no step, since each has its own.

    ``loss`` is a mean over all values of the measurement (inpainting's unknown ones are zero in it).
    ``weights_per_pixel`` is kept prunable weights over the pictures' values (height x width x channels).
    """

    weights_per_pixel: float

    headline: ClassVar = "psnr_best"
    lines: ClassVar = (
        ("psnr_best", "best over the run (oracle)"),
        ("psnr_ema", "last output average"),
        ("psnr_last", "last output"),
    )
    axis: ClassVar = "PSNR in dB"

    @property
    @override
    def score(self) -> float | None:
        return self.psnr_best

    @override
    def score_in_words(self) -> str:
        return f"{self.psnr_best:.2f} dB"

    @classmethod
    @override
    def title(cls, summary: Mapping[str, Any]) -> str:
        if summary["first"]["psnr_best"] is None:
            return "loss = at the end of the round; step = the one that the stopping rule chose"
        mean = "" if len(summary["picture"].split(", ")) == 1 else ", mean of all pictures"
        best = f"best {_picture(summary)}"
        return f"PSNR in dB and SSIM on {summary['scored']['metric']}{mean}; {best} = over the run, an oracle's choice"

    @property
    @override
    def still_rising(self) -> bool:
        """Whether the best step is among the last hundredth: more steps would give a better picture."""
        return self.steps > 0 and self.psnr_best_step is not None and self.psnr_best_step > 0.99 * self.steps

    @classmethod
    @override
    def remarks(cls, rounds: Sequence["Restored"]) -> Sequence[str]:
        rising = [row.round for row in rounds if row.still_rising]
        if not rising:
            return ()
        which = "the round" if len(rounds) == 1 else "every round" if len(rising) == len(rounds) else None
        named = which or f"round {', '.join(map(str, rising))}"
        return (f"still rising at the end of {named}: give more fit.steps than {rounds[0].steps} to see the best",)

    @classmethod
    @override
    def columns(cls, summary: Mapping[str, Any]) -> Mapping[str, Callable[[Any], str]]:
        def text(name: str, digits: int) -> Callable[[Any], str]:
            return lambda row: number(getattr(row, name), digits)

        if summary["first"]["psnr_best"] is None:
            return {
                "per value": lambda row: f"{row.weights_per_pixel:.3g}",
                "loss": lambda row: f"{row.loss:.3e}",
                "step": lambda row: number(row.stop_step, 0),
            }
        exact = summary["first"].get("psnr_consistent") is not None
        shown = [one for one in fields(Scored) if one.metadata["title"] and (exact or one.name != "psnr_consistent")]
        return {
            "per value": lambda row: f"{row.weights_per_pixel:.3g}",
            **{
                one.metadata["title"].format(picture=_picture(summary)): text(one.name, one.metadata["digits"])
                for one in shown
            },
        }


@dataclass(frozen=True, kw_only=True)
class PictureScores(Scored):
    """One row of ``pictures.csv``: what a round reached on one of several pictures."""

    round: int
    sparsity: float
    picture: str
    loss: float

    @property
    def unit(self) -> str:
        """What :meth:`in_words` is in."""
        return "loss " if self.psnr_best is None else "dB: "

    def in_words(self) -> str:
        """The score, or without one the loss."""
        return number(self.psnr_best, 2) or f"{self.loss:.3e}"


def _picture(summary: Mapping[str, Any]) -> str:
    """Which picture is scored, in words."""
    return str(summary["scored"]["picture"]).replace("_", " ")
