"""From a composed configuration to a classifier that is trained on labelled pictures."""

import torch
from omegaconf import DictConfig
from torch import nn

from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.fit.experiment import Classification, Origin
from lipdip.fit.settings import ClassifySettings
from lipdip.networks import Classifier
from lipdip.pictures.datasets import Dataset
from lipdip.tasks.build import blaming, build
from lipdip.tasks.common import common
from lipdip.tasks.science import plain
from lipdip.tasks.sources import whole
from lipdip.tasks.starting_point import given_ticket, init_stream

HOURGLASS = "lipdip.networks.Hourglass"
CLASSIFIER = "lipdip.networks.Classifier"


def assemble_classification(cfg: DictConfig) -> Classification:
    """The experiment that ``cfg`` describes, of ``task=classify``.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together.
        ValueError, TypeError: from a constructor, where the message names no setting.
    """
    if cfg.model._target_ != HOURGLASS:
        raise UserError("task=classify needs model=hourglass: a decoder has nothing that reads a picture")
    if "epochs" not in cfg.fit:
        raise UserError("task=classify is trained by fit=sgd; fit=adam and fit=sgld are for restoring a picture")
    if cfg.pruner.target == "clean":
        raise UserError("pruner.target=clean is for restoring pictures: labelled ones are not degraded")
    settings = ClassifySettings(**plain(cfg.fit), sigmoid=cfg.task.sigmoid)
    seed, found = whole(cfg, "seed"), given_ticket(cfg)
    dataset: Dataset = build(cfg.dataset)
    if not dataset.classes:
        raise UserError(
            f"task=classify needs labelled pictures, and {dataset.name} has no labels; take dataset=folder "
            "(one sub-folder per class), or use it for task=gan_train"
        )
    body = {name: value for name, value in plain(cfg.model).items() if name not in ("_target_", "code_channels")}
    with default_generator_seeded(seed, init_stream(cfg, found)), blaming(cfg.model):
        network: nn.Module = Classifier(len(dataset.classes), **body)
        network.code_shape(cfg.dataset.size, cfg.dataset.size)  # type: ignore[operator]
    picture, _ = dataset.train.batch(torch.arange(1))
    batches = -(-len(dataset.train) // settings.batch)
    data = {"name": dataset.name, "size": cfg.dataset.size, "sha256": dataset.digest}
    told = {"target": CLASSIFIER, "settings": {**body, "classes": len(dataset.classes)}}
    origin, steps = Origin(told, init_stream(cfg, found)), settings.epochs * batches
    return Classification(
        **common(cfg, network, origin, picture, found, steps, dataset.notes, dataset=data),
        dataset=dataset,
        settings=settings,
    )
