"""From a composed configuration to pictures that are recovered by a pretrained generator."""

import math

import torch

from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.fit.experiment import Experiment
from lipdip.fit.hardware import Hardware
from lipdip.generators.pretrained import pretrained
from lipdip.physics import Physics
from lipdip.pictures import Picture, Problem, sized
from lipdip.tasks.configuration import Config, build, seed_of
from lipdip.tasks.generation.assemble_generation import check_shape, origin_of
from lipdip.tasks.parts import begin, experiment, node_identity, pictures, run_seed
from lipdip.tasks.recovery.lasso import LARGEST
from lipdip.tasks.recovery.recovering import Recovering
from lipdip.tasks.recovery.recovery_settings import RecoverySettings
from lipdip.tasks.starting_point import given_ticket, init_stream


def assemble_recovery(config: Config) -> Experiment:
    """The experiment that a configuration describes, of any task in which a generator recovers pictures.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together.
        ValueError, TypeError: from a constructor, where the message names no setting.
    """
    if config["model"]["_target_"] != "lipdip.networks.Generator":
        raise UserError("fit=latent searches a generator's codes: it needs model=pggan")
    if config["pruner"]["scorer"] is not None:
        raise UserError("recovering prunes nothing (pruner=none): find tickets with task=gan_train pruner=imp")
    if config["model"]["path"] is None:
        raise UserError("recovering needs a trained generator: give model.path=embedded, celebahq, RUN_DIR or FILE")
    settings = build(config, "fit", RecoverySettings)
    found, image = given_ticket(config), config["image"]
    if image["clean"] is not True or image["content"] != "picture":
        raise UserError(
            "a generator recovers what was measured of a clean picture: no image.clean=false, image.content"
        )
    source = pretrained(config["model"]["path"])
    check_shape(config["model"], source)
    generator = source.generator
    prepared = [_prepared(picture, generator.picture_channels, generator.size) for picture in pictures(config)]
    shape = tuple(prepared[0].pixels.shape)
    if settings.baseline and prepared[0].pixels.numel() > LARGEST:
        raise UserError(f"fit.baseline=lasso takes pictures of at most {LARGEST} values: a generator of at most 64x64")
    task_seed = seed_of(config, "task.seed")
    draw = stream(task_seed, "degradation")
    physics = build(config, "task.physics", Physics, image_shape=shape, generator=draw)
    _check_blocks(settings, physics)
    problems = [Problem.measured(2 * picture.pixels - 1, physics, draw, picture.name) for picture in prepared]
    network = origin_of(generator, source, init_stream(config, found))
    started, origin, unmasked = begin(config, generator, network, torch.zeros(1, generator.latent), found)
    module = Recovering(
        generator, problems, settings, started.mask, run_seed(config), build(config, "trainer", Hardware), unmasked
    )
    seen = [{"shape": list(shape), "sha256": picture.digest} for picture in prepared]
    identity = {
        **node_identity(config, "fit"),
        **node_identity(config, "task.physics", "task"),
        **({"task.seed": task_seed} if task_seed else {}),
        **{f"image.{number}.{name}": item for number, one in enumerate(seen) for name, item in one.items()},
        "model.sha256": source.digest,
    }
    notes = [note for picture in prepared for note in picture.notes]
    own = {"image": seen, "model": {"sha256": source.digest}}
    return experiment(config, module, started, origin, notes, identity, own)


def _check_blocks(settings: RecoverySettings, physics: Physics) -> None:
    """Refuse a median of means that outliers could decide: each may spoil a block of its own."""
    if settings.objective != "median_of_means":
        return
    outlying = getattr(physics, "outlying", None)
    outliers = 0 if outlying is None else int(outlying.sum())
    blocks = math.prod(physics.measurement_shape) // settings.block
    if 2 * outliers >= blocks:
        raise UserError(
            "fit.objective=median_of_means needs more than twice as many blocks as outliers, and there are "
            f"{outliers} outliers among {blocks} blocks of fit.block={settings.block}: give fewer task.outliers, or "
            "smaller blocks"
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
