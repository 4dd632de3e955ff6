"""From a composed configuration to a GAN that is trained on pictures."""

from typing import Any

import torch
from omegaconf import DictConfig

from lipdip.configuration.build import blaming, build
from lipdip.configuration.common import common
from lipdip.configuration.pictures import whole
from lipdip.configuration.science import plain
from lipdip.configuration.start import given_ticket, init_stream
from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.datasets import Dataset
from lipdip.generators.pretrained import Pretrained, pretrained
from lipdip.networks.pggan import Discriminator, Generator
from lipdip.training.experiment import Generation, Origin
from lipdip.training.settings import GanSettings

GENERATOR = "lipdip.networks.Generator"


def assemble_generation(cfg: DictConfig) -> Generation:
    """The experiment that ``cfg`` describes, of ``task=gan_train``.

    Raises:
        UserError: if anything in it cannot be.
        ValueError, TypeError: from the parts it is made of, where they do not name a setting.
    """
    if cfg.model._target_ != GENERATOR:
        raise UserError("task=gan_train needs model=pggan")
    if "gradient_penalty" not in cfg.fit:
        raise UserError("task=gan_train is trained by fit=wgan or fit=finetune; the others are for other tasks")
    settings = GanSettings(**plain(cfg.fit))
    seed, found = whole(cfg, "seed"), given_ticket(cfg)
    source = None if cfg.model.path is None else pretrained(cfg.model.path)
    generator, discriminator = _drawn(cfg, init_stream(cfg, found), seed) if source is None else _known(source)
    if source is not None and settings.grow is not None:
        raise UserError("a pretrained GAN has grown already: give fit=finetune (or fit.grow=null)")
    dataset: Dataset = build(cfg.dataset, size=generator.size)
    code = torch.zeros(1, generator.latent)
    identity: dict[str, Any] = {"dataset": {"name": dataset.name, "size": generator.size, "sha256": dataset.digest}}
    if source is not None:
        identity["model"] = {"sha256": source.digest}
    source_of = origin(generator, source, init_stream(cfg, found))
    return Generation(
        **common(cfg, generator, source_of, code, found, settings.steps, dataset.notes, **identity),
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


def _drawn(cfg: DictConfig, stream: str, seed: int) -> tuple[Generator, Discriminator]:
    """New networks of the size that ``cfg.model`` asks for."""
    shape = {name: value for name, value in plain(cfg.model).items() if name not in ("_target_", "path")}
    with default_generator_seeded(seed, stream), blaming(cfg.model):
        generator = Generator(**shape)
    with default_generator_seeded(seed, f"discriminator/{stream}"), blaming(cfg.model):
        return generator, Discriminator(shape["channels"], shape["picture_channels"])


def _known(source: Pretrained) -> tuple[Generator, Discriminator]:
    if source.discriminator is None:
        raise UserError(
            f"{source.name} is a generator alone, and training on needs its discriminator: give model.path=RUN_DIR of "
            "task=gan_train, embedded, celebahq or a zoo checkpoint (.pth)"
        )
    return source.generator, source.discriminator
