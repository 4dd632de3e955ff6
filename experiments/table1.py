"""Table 1: tickets of a pretrained generator, by IMP and random; and Fig. 8, the pictures that they recovered.

    python experiments/table1.py

The paper can be read in two ways, and both are here: a ticket's mask on the pretrained weights as they are, and
with the weights that its own round of fine-tuning gave. All pictures are held out; each seed draws pruning,
measurements and codes anew.
"""

from omegaconf import OmegaConf
from study import Found, Study, start

from lipdip.pictures.datasets import unlabelled

GAN = {"cpu": "embedded", "paper": "celebahq"}
ROBUST = "fit.objective=median_of_means"
TASKS = (("task=compressive_sensing", ROBUST, "task.outliers=0.02"), ("task=gan_inpaint",))
SEARCH = ("image=clothes16", "fit.steps=200", "fit.restarts=2", "fit.record_every=100")


def search(study: Study, found: list[Found]) -> list[str]:
    """Settings of every recovery: at the paper's size, the first sixteen faces that fine-tuning did not see."""
    if study.scale == "cpu":
        return [*SEARCH, "task.seed=${seed}"]
    data = OmegaConf.load(found[0].directory / "config.yaml").dataset
    held_out = unlabelled(data.path, 256).test
    return ["image=file", f"image.path=[{','.join(held_out.files[:16])}]", "task.seed=${seed}"]  # type: ignore[attr-defined]


def tuned(run: Found, number: int) -> tuple[str, ...]:
    """A round's ticket with the weights that its own round of fine-tuning gave."""
    generator = run.hand_on("model.path", run.directory / "generators" / f"round_{number:02d}.safetensors")
    return (*masked(run, number), *generator, "ticket.init=model")


def masked(run: Found, number: int) -> tuple[str, ...]:
    """A round's ticket."""
    return (*run.hand_on("ticket.path", run.directory), f"ticket.round={number}")


def recover(study: Study, found: list[Found]) -> None:
    """Both tasks with the dense generator, with a tuned dense generator, and with every ticket in both ways."""
    common, dense = search(study, found), f"model.path={GAN[study.scale]}"
    rounds = [(run, number) for run in found for number in range(1, run.last + 1)]
    for task in TASKS:
        study.recover(*task, *common, dense)
        study.recover(*task, *common, each=[run.hand_on("model.path", run.directory) for run in found])
        study.recover(*task, *common, dense, each=[masked(run, number) for run, number in rounds])
        study.recover(*task, *common, each=[tuned(run, number) for run, number in rounds])


if __name__ == "__main__":
    start("table1", recover, draws=("table1", "fig8"))
