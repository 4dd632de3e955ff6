"""From a composed configuration to a GAN that is trained on pictures."""

from typing import Any

import torch
from omegaconf import DictConfig

from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.fit.experiment import Generation, Origin
from lipdip.fit.settings import GanSettings
from lipdip.generators.pretrained import Pretrained, pretrained
from lipdip.networks.pggan import Discriminator, Generator
from lipdip.pictures.datasets import Dataset
from lipdip.tasks.build import blaming, build
from lipdip.tasks.common import common
from lipdip.tasks.science import plain
from lipdip.tasks.sources import whole
from lipdip.tasks.starting_point import given_ticket, init_stream

GENERATOR = "lipdip.networks.Generator"
_NEW = {"latent": 64, "channels": [64, 64, 32, 16], "picture_channels": 1}  # what a new generator has unless told else


def assemble_generation(cfg: DictConfig) -> Generation:
    """The experiment that ``cfg`` describes, of ``task=gan_train``.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together.
        ValueError, TypeError: from a constructor, where the message names no setting.
    """
    if cfg.model._target_ != GENERATOR:
        raise UserError("task=gan_train needs model=pggan")
    if "gradient_penalty" not in cfg.fit:
        raise UserError("task=gan_train is trained by fit=wgan or fit=finetune; the others are for other tasks")
    settings = GanSettings(**plain(cfg.fit))
    seed, found = whole(cfg, "seed"), given_ticket(cfg)
    source = None if cfg.model.path is None else pretrained(cfg.model.path)
    if source is None:
        generator, discriminator = _drawn(cfg, init_stream(cfg, found), seed)
        model = {**plain(cfg.model), **_shape(cfg.model)}
    else:
        generator, discriminator = _known(cfg.model, source)
        model = {"sha256": source.digest}
    if source is not None and settings.grow is not None:
        raise UserError("a pretrained GAN has grown already: give fit=finetune (or fit.grow=null)")
    dataset: Dataset = build(cfg.dataset, size=_side(cfg.dataset, generator))
    code = torch.zeros(1, generator.latent)
    told = {"name": dataset.name, "size": generator.size, "sha256": dataset.digest}
    source_of = origin(generator, source, init_stream(cfg, found))
    return Generation(
        **common(cfg, generator, source_of, code, found, settings.steps, dataset.notes, dataset=told, model=model),
        discriminator=discriminator,
        dataset=dataset,
        settings=settings,
    )


def origin(generator: Generator, source: Pretrained | None, stream: str) -> Origin:
    """Where a generator's weights are from, as its tickets tell it."""
    network = {"target": GENERATOR, "settings": generator.settings}
    if source is None:
        return Origin(network, stream)
    return Origin(network, None, {"name": source.name, "sha256": source.digest})


def check_shape(model: DictConfig, source: Pretrained) -> None:
    """Refuse a shape that is not the pretrained generator's; one that is not given (null) is always right.

    Raises:
        UserError: if a setting of ``model`` asks for another generator than ``source`` has.
    """
    for name in _NEW:
        given, stored = plain(model).get(name), source.generator.settings[name]
        if given is not None and given != stored:
            raise UserError(
                f"model.{name}={given} is for a new generator, and {source.name} has {stored}; leave it out"
            )


def _shape(model: DictConfig) -> dict[str, Any]:
    """The settings of a new generator: those that were given, and the usual ones."""
    own = {name: value for name, value in plain(model).items() if name not in ("_target_", "path")}
    return {**own, **{name: usual for name, usual in _NEW.items() if own.get(name) is None}}


def _side(dataset: DictConfig, generator: Generator) -> int:
    """The size of the training pictures: the generator's."""
    if dataset.size not in (None, generator.size):
        raise UserError(
            f"dataset.size={dataset.size} is not the generator's size, {generator.size}, which task=gan_train takes "
            "for all pictures; leave it out"
        )
    return generator.size


def _drawn(cfg: DictConfig, stream: str, seed: int) -> tuple[Generator, Discriminator]:
    """New networks of the shape that ``cfg.model`` asks for."""
    shape = _shape(cfg.model)
    with default_generator_seeded(seed, stream), blaming(cfg.model):
        generator = Generator(**shape)
    with default_generator_seeded(seed, f"discriminator/{stream}"), blaming(cfg.model):
        return generator, Discriminator(shape["channels"], shape["picture_channels"])


def _known(model: DictConfig, source: Pretrained) -> tuple[Generator, Discriminator]:
    """The pretrained networks, both of which training needs."""
    check_shape(model, source)
    if source.discriminator is None:
        raise UserError(
            f"{source.name} is a generator alone, and training on needs its discriminator: give model.path=RUN_DIR of "
            "task=gan_train, embedded, celebahq or a zoo checkpoint (.pth)"
        )
    return source.generator, source.discriminator
