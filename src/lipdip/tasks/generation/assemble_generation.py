"""From a composed configuration to a GAN that is trained on pictures."""

from typing import Any

import torch

from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.fit.experiment import Experiment, Origin
from lipdip.fit.hardware import Hardware
from lipdip.generators.pretrained import Pretrained, pretrained
from lipdip.networks.pggan import Discriminator, Generator
from lipdip.pictures.datasets import Dataset
from lipdip.runs.identity import unusual
from lipdip.tasks.configuration import Config, blaming, build, settings_of
from lipdip.tasks.generation.gan_settings import GanSettings
from lipdip.tasks.generation.gan_training import GanTraining
from lipdip.tasks.parts import begin, experiment, node_identity, run_seed
from lipdip.tasks.starting_point import given_ticket, init_stream

GENERATOR = "lipdip.networks.Generator"
_NEW = {"latent": 64, "channels": [64, 64, 32, 16], "picture_channels": 1}  # what a new generator has unless told else


def assemble_generation(config: Config) -> Experiment:
    """The experiment that a configuration describes, of ``task=gan_train``.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together.
        ValueError, TypeError: from a constructor, where the message names no setting.
    """
    if config["model"]["_target_"] != GENERATOR:
        raise UserError("task=gan_train needs model=pggan")
    settings = build(config, "fit", GanSettings)
    seed, found, path = run_seed(config), given_ticket(config), config["model"]["path"]
    source = None if path is None else pretrained(path)
    if source is None:
        generator, discriminator = _drawn(config, init_stream(config, found), seed)
        model = {"_target_": GENERATOR, "path": None, **_shape(config["model"])}
        own = {"model": "Generator", **unusual(Generator, _shape(config["model"]), "model")}
    else:
        generator, discriminator = _known(config["model"], source)
        own = model = {"sha256": source.digest}
        own = {"model.sha256": source.digest}
    if source is not None and settings.grow is not None:
        raise UserError("a pretrained GAN has grown already: give fit=finetune (or fit.grow=null)")
    dataset = build(config, "dataset", Dataset, size=_side(config["dataset"], generator))
    network = origin_of(generator, source, init_stream(config, found))
    started, origin, unmasked = begin(config, generator, network, torch.zeros(1, generator.latent), found)
    module = GanTraining(
        generator, discriminator, dataset, settings, started.mask, seed, build(config, "trainer", Hardware), unmasked
    )
    data = {"name": dataset.name, "size": generator.size, "sha256": dataset.digest}
    identity = {**node_identity(config, "fit"), **own, **{f"dataset.{name}": item for name, item in data.items()}}
    return experiment(config, module, started, origin, dataset.notes, identity, {"dataset": data, "model": model})


def origin_of(generator: Generator, source: Pretrained | None, stream: str) -> Origin:
    """Where a generator's weights are from, as its tickets tell it."""
    network = {"target": GENERATOR, "settings": generator.settings}
    if source is None:
        return Origin(network, stream)
    return Origin(network, None, {"name": source.name, "sha256": source.digest})


def check_shape(model: Config, source: Pretrained) -> None:
    """Refuse a shape that is not the pretrained generator's; one that is not given (null) is always right.

    Raises:
        UserError: if a setting of ``model`` asks for another generator than ``source`` has.
    """
    for name in _NEW:
        given, stored = settings_of(model).get(name), source.generator.settings[name]
        if given is not None and (given != stored or isinstance(given, bool)):
            raise UserError(
                f"model.{name}={given} is for a new generator, and {source.name} has {stored}; leave it out"
            )


def _shape(model: Config) -> dict[str, Any]:
    """The settings of a new generator: those that were given, and the usual ones."""
    own = {name: value for name, value in settings_of(model).items() if name not in ("_target_", "path")}
    return {**own, **{name: usual for name, usual in _NEW.items() if own.get(name) is None}}


def _side(dataset: Config, generator: Generator) -> int:
    """The size of the training pictures: the generator's."""
    if dataset["size"] not in (None, generator.size):
        raise UserError(
            f"dataset.size={dataset['size']} is not the generator's size, {generator.size}, which task=gan_train takes "
            "for all pictures; leave it out"
        )
    return generator.size


def _drawn(config: Config, stream: str, seed: int) -> tuple[Generator, Discriminator]:
    """New networks of the shape that ``model`` asks for."""
    shape = _shape(config["model"])
    with default_generator_seeded(seed, stream), blaming(config, "model"):
        generator = Generator(**shape)
    with default_generator_seeded(seed, f"discriminator/{stream}"), blaming(config, "model"):
        return generator, Discriminator(shape["channels"], shape["picture_channels"])


def _known(model: Config, source: Pretrained) -> tuple[Generator, Discriminator]:
    """The pretrained networks, both of which training needs."""
    check_shape(model, source)
    if source.discriminator is None:
        raise UserError(
            f"{source.name} is a generator alone, and training on needs its discriminator: give model.path=RUN_DIR of "
            "task=gan_train, embedded, celebahq or a zoo checkpoint (.pth)"
        )
    return source.generator, source.discriminator
