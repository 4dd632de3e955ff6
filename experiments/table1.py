"""Table 1: tickets of a pretrained generator, by IMP and random; and Fig. 8, the pictures that they recovered.

    python experiments/table1.py

The paper can be read in two ways, and both are here: a ticket's mask on the pretrained weights as they are, and
with the weights that its own round of fine-tuning gave. All pictures are held out; each seed draws pruning,
measurements and codes anew.
"""

from omegaconf import OmegaConf
from study import Found, Study, of, paths, start

from lipdip.pictures.datasets import pictures

GAN = {"cpu": "embedded", "paper": "celebahq"}
ROBUST = "fit.objective=median_of_means"
TASKS = (("task=compressive_sensing", ROBUST, "task.outliers=0.02"), ("task=gan_inpaint",))
SEARCH = ("image=clothes16", "fit.steps=200", "fit.restarts=2", "fit.record_every=100")
BY = of("${by}")  # the run of a cell's pruner and seed
TUNED = '"${ticket.path}/generators/round_0${ticket.round}.safetensors"'


def search(study: Study, found: list[Found]) -> list[str]:
    """Settings of every recovery: at the paper's size, the first sixteen faces that fine-tuning did not see."""
    words = ["task.seed=${seed}", *paths(found, lambda run: run.directory)]
    if study.scale == "cpu":
        return [*SEARCH, *words]
    data = OmegaConf.load(found[0].directory / "config.yaml").dataset
    held_out = pictures(data.path, 256).test
    return ["image=file", f"image.path=[{','.join(held_out.files[:16])}]", *words]  # type: ignore[attr-defined]


def recover(study: Study, found: list[Found]) -> None:
    """Both tasks with the dense generator, with a tuned dense generator, and with every ticket in both ways."""
    common, dense = search(study, found), f"model.path={GAN[study.scale]}"
    by = f"+by={','.join(dict.fromkeys(run['pruner'] for run in found))}"
    rounds = f"ticket.round=range(1,{max(run.last for run in found) + 1})"
    for task in TASKS:
        study.recover(*task, *common, dense)
        study.recover(*task, *common, by, f"model.path={BY}")
        study.recover(*task, *common, by, f"ticket.path={BY}", rounds, dense)
        study.recover(*task, *common, by, f"ticket.path={BY}", rounds, f"model.path={TUNED}", "ticket.init=model")


if __name__ == "__main__":
    start("table1", recover, draws=("table1", "fig8"))
