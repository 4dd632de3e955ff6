"""From a composed configuration to a GAN that is trained on pictures."""

import torch
from omegaconf import DictConfig

from lipdip.configuration.build import blaming, build
from lipdip.configuration.pictures import whole
from lipdip.configuration.plan import plan_pruning
from lipdip.configuration.science import plain, science
from lipdip.configuration.start import given_ticket, init_stream, start
from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.datasets import Dataset
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
        raise UserError("task=gan_train is trained by fit=wgan; the others are for other tasks")
    settings = GanSettings(**plain(cfg.fit))
    hardware, seed = build(cfg.trainer), whole(cfg, "seed")
    found = given_ticket(cfg)
    shape = {name: value for name, value in plain(cfg.model).items() if name not in ("_target_", "path")}
    with default_generator_seeded(seed, init_stream(cfg, found)), blaming(cfg.model):
        generator = Generator(**shape)
    with default_generator_seeded(seed, f"discriminator/{init_stream(cfg, found)}"), blaming(cfg.model):
        discriminator = Discriminator(shape["channels"], shape["picture_channels"])
    dataset: Dataset = build(cfg.dataset, size=generator.size)
    code = torch.zeros(1, generator.latent)
    with blaming(cfg.pruner):
        begin = start(cfg, generator, code, found)
        pruning, tickets = plan_pruning(cfg.pruner, generator, code, begin.mask, settings.steps)
    data = {"name": dataset.name, "size": generator.size, "sha256": dataset.digest}
    return Generation(
        network=generator,
        origin=Origin({"target": GENERATOR, "settings": shape}, init_stream(cfg, found), begin.drawn),
        pruning=pruning,
        hardware=hardware,
        seed=seed,
        configuration=science(cfg, begin, tickets, dataset=data),
        notes=[*begin.notes, *dataset.notes],
        discriminator=discriminator,
        dataset=dataset,
        settings=settings,
    )
