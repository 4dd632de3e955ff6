"""From a composed configuration to a classifier that is trained on labelled pictures."""

import torch
from torch import nn

from lipdip.core.check import flag
from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.fit.experiment import Experiment, Origin
from lipdip.fit.hardware import Hardware
from lipdip.networks import Classifier
from lipdip.pictures.datasets import Dataset
from lipdip.tasks.classification.classify_settings import ClassifySettings
from lipdip.tasks.classification.classifying import Classifying
from lipdip.tasks.configuration import Config, blaming, build, settings_of
from lipdip.tasks.parts import begin, experiment, node_identity, run_seed
from lipdip.tasks.starting_point import given_ticket, init_stream

HOURGLASS = "lipdip.networks.Hourglass"
CLASSIFIER = "lipdip.networks.Classifier"


def assemble_classification(config: Config) -> Experiment:
    """The experiment that a configuration describes, of ``task=classify``.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together.
        ValueError, TypeError: from a constructor, where the message names no setting.
    """
    if config["model"]["_target_"] != HOURGLASS:
        raise UserError("task=classify needs model=hourglass: a decoder has nothing that reads a picture")
    if config["pruner"]["target"] == "clean":
        raise UserError("pruner.target=clean is for restoring pictures: labelled ones are not degraded")
    sigmoid = config["task"]["sigmoid"]
    with blaming(config, "task"):
        flag("sigmoid", sigmoid)
    settings = build(config, "fit", ClassifySettings, sigmoid=sigmoid)
    seed, found = run_seed(config), given_ticket(config)
    dataset = build(config, "dataset", Dataset)
    if not dataset.classes:
        raise UserError(
            f"task=classify needs labelled pictures, and {dataset.name} has no labels; take dataset=folder "
            "(one sub-folder per class), or use it for task=gan_train"
        )
    body = {name: item for name, item in settings_of(config["model"]).items() if name != "code_channels"}
    size = config["dataset"]["size"]
    with default_generator_seeded(seed, init_stream(config, found)), blaming(config, "model"):
        network: nn.Module = Classifier(len(dataset.classes), **body)
        network.code_shape(size, size)  # type: ignore[operator]
    picture, _ = dataset.train.batch(torch.arange(1))
    model = {"target": CLASSIFIER, "settings": {**body, "classes": len(dataset.classes)}}
    started, origin, unmasked = begin(config, network, Origin(model, init_stream(config, found)), picture, found)
    module = Classifying(network, dataset, settings, started.mask, seed, build(config, "trainer", Hardware), unmasked)
    data = {"name": dataset.name, "size": size, "sha256": dataset.digest}
    identity = {
        **node_identity(config, "fit", sigmoid=sigmoid),
        **node_identity(config, "model"),
        **{f"dataset.{name}": item for name, item in data.items()},
    }
    return experiment(config, module, started, origin, dataset.notes, identity, {"dataset": data})
