"""From a composed configuration to pictures that are recovered by a pretrained generator."""

import torch
from omegaconf import DictConfig

from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.fit.experiment import Recovery
from lipdip.fit.settings import RecoverySettings
from lipdip.generators.pretrained import pretrained
from lipdip.physics import Physics
from lipdip.pictures import Picture, measured, sized
from lipdip.tasks.build import build
from lipdip.tasks.common import common
from lipdip.tasks.generation.assemble_generation import check_shape, origin
from lipdip.tasks.recovery.lasso import LARGEST
from lipdip.tasks.science import plain
from lipdip.tasks.sources import pictures, whole
from lipdip.tasks.starting_point import given_ticket, init_stream


def assemble_recovery(cfg: DictConfig) -> Recovery:
    """The experiment that ``cfg`` describes, of any task in which a generator recovers pictures.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together.
        ValueError, TypeError: from a constructor, where the message names no setting.
    """
    if "restarts" not in cfg.fit:
        raise UserError(
            f"task={cfg.task.name} with model=pggan is searched by fit=latent; the others are for other tasks"
        )
    if cfg.pruner.scorer is not None:
        raise UserError("recovering prunes nothing (pruner=none): find tickets with task=gan_train pruner=imp")
    if cfg.model.path is None:
        raise UserError("recovering needs a trained generator: give model.path=embedded, celebahq, RUN_DIR or FILE")
    settings = RecoverySettings(**plain(cfg.fit))
    found = given_ticket(cfg)
    if cfg.image.clean is not True or cfg.image.content != "picture":
        raise UserError(
            "a generator recovers what was measured of a clean picture: no image.clean=false, image.content"
        )
    source = pretrained(cfg.model.path)
    check_shape(cfg.model, source)
    generator = source.generator
    prepared = [_prepared(picture, generator.picture_channels, generator.size) for picture in pictures(cfg)]
    shape = tuple(prepared[0].pixels.shape)
    if settings.baseline and prepared[0].pixels.numel() > LARGEST:
        raise UserError(f"fit.baseline=lasso takes pictures of at most {LARGEST} values: a generator of at most 64x64")
    draw = stream(whole(cfg, "task.seed"), "degradation")
    physics: Physics = build(cfg.task.physics, image_shape=shape, generator=draw)
    problems = [measured(picture.name, 2 * picture.pixels - 1, physics, draw) for picture in prepared]
    code = torch.zeros(1, generator.latent)
    seen = [{"shape": list(shape), "sha256": picture.digest} for picture in prepared]
    notes, told = [n for picture in prepared for n in picture.notes], origin(generator, source, init_stream(cfg, found))
    return Recovery(
        **common(cfg, generator, told, code, found, settings.steps, notes, image=seen, model={"sha256": source.digest}),
        problems=problems,
        latent=generator.latent,
        settings=settings,
    )


def _prepared(picture: Picture, channels: int, size: int) -> Picture:
    """The picture as the generator makes pictures: its size, and grey or RGB."""
    picture = sized(picture, (size, size), multiple=1)
    if picture.pixels.shape[0] == channels:
        return picture
    if channels == 1:
        return picture.changed(
            picture.pixels.mean(0, keepdim=True), f"{picture.name} was turned grey, as the generator is"
        )
    return picture.changed(picture.pixels.expand(3, -1, -1).clone(), f"{picture.name} is grey, given as RGB")
