"""From a composed configuration to objects that are checked and ready; nothing is written yet."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra.utils
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded, stream
from lipdip.lottery.schedule import ladder
from lipdip.physics import Physics
from lipdip.problems import Picture, Problem, draw_code, given, measured, read_pixel_mask, sized
from lipdip.pruning.scope import prunable
from lipdip.training.experiment import Experiment
from lipdip.training.settings import FitSettings

RUN_FORMAT = 1  # part of every run's name: raised when the same configuration would give other numbers


def assemble(cfg: DictConfig) -> Experiment:
    """The experiment that ``cfg`` describes.

    Raises:
        UserError: if anything in it cannot be, in one line that names it.
    """
    settings = FitSettings(**_plain(cfg.fit), answer=cfg.task.score.answer)
    hardware = build(cfg.trainer)
    seed = _seed(cfg, "seed")
    picture = _picture(cfg)
    problem, notes = _problem(cfg, picture)
    channels, height, width = problem.physics.image_shape
    with default_generator_seeded(seed, "init"):
        network: nn.Module = build(cfg.model, out_channels=channels)
    with _blaming(cfg.model):
        code = draw_code(network.code_shape(height, width), seed)  # type: ignore[operator]
    with _blaming(cfg.pruner):
        total = sum(weight.numel() for weight in prunable(network).values())
        kept = ladder(total, cfg.pruner.rate, cfg.pruner.rounds) if cfg.pruner.scorer else [total]
    return Experiment(
        problem=problem,
        network=network,
        code=code,
        metric=build(cfg.task.score.metric),
        settings=settings,
        hardware=hardware,
        scorer=build(cfg.pruner.scorer) if cfg.pruner.scorer else None,
        ladder=kept,
        seed=seed,
        configuration=_science(cfg, picture),
        notes=notes,
    )


def build(node: DictConfig, **more: Any) -> Any:
    """Call a node's ``_target_`` with the node's values and ``more``; what it refuses becomes a ``UserError``."""
    with _blaming(node):
        return hydra.utils.instantiate(node, _partial_=True, _convert_="all")(**more)


@contextmanager
def _blaming(node: DictConfig) -> Iterator[None]:
    """Turn what a constructor says of its arguments into a line that names them as the command line does."""
    try:
        yield
    except (ValueError, TypeError) as error:
        message, where = str(error), str(node._get_full_key(None))
        named = message.split(" ", 1)[0] in node
        raise UserError(f"{where}.{message}" if named else f"{where}: {message}") from error


def _plain(node: DictConfig) -> dict[str, Any]:
    values: dict[str, Any] = OmegaConf.to_container(node, resolve=True)  # type: ignore[assignment]
    return values


def _seed(node: DictConfig, name: str) -> int:
    value = OmegaConf.select(node, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UserError(f"{name} must be a whole number of at least 0, not {value!r}")
    return value


def _picture(cfg: DictConfig) -> Picture:
    if len(cfg.image.pictures) != 1:
        raise UserError(f"one picture at a time, not {len(cfg.image.pictures)}: {', '.join(cfg.image.pictures)}")
    (source,) = cfg.image.pictures.values()
    picture: Picture = build(source)
    return picture


def _problem(cfg: DictConfig, picture: Picture) -> tuple[Problem, tuple[str, ...]]:
    """The problem, and what was done to the picture on the way."""
    if not isinstance(cfg.image.clean, bool):
        raise UserError(f"image.clean must be true or false, not {cfg.image.clean!r}")
    task, size = cfg.task, _plain(cfg.image)["size"]
    draw = stream(_seed(cfg, "task.seed"), "degradation")
    settings: dict[str, Any] = {"generator": draw}
    if task.get("pixel_mask") is not None:
        settings["pixel_mask"] = read_pixel_mask(task.pixel_mask, picture, size)
    if cfg.image.clean:
        picture = sized(picture, size)
        physics: Physics = build(task.physics, image_shape=tuple(picture.pixels.shape), **settings)
        return measured(picture.name, picture.pixels, physics, draw), picture.notes
    if task.name == "inpaint" and task.pixel_mask is None:
        raise UserError("image.clean=false with task=inpaint needs task.pixel_mask=PICTURE: which pixels are known?")
    scale = task.get("factor", 1)  # how many times smaller than its picture a measurement is
    if isinstance(scale, bool) or not isinstance(scale, int) or scale < 1:
        raise UserError(f"task.factor must be a whole number of at least 2, not {scale!r}")
    picture = sized(picture, size, scale=scale)
    channels, height, width = picture.pixels.shape
    physics = build(task.physics, image_shape=(channels, scale * height, scale * width), **settings)
    return given(picture.name, picture.pixels, physics), picture.notes


def _science(cfg: DictConfig, picture: Picture) -> dict[str, Any]:
    """What decides the numbers: not paths, device, logger or names of presets, but the pictures' contents."""
    try:
        config = _plain(cfg)
    except OmegaConfBaseException as error:
        raise UserError(str(error).splitlines()[0]) from None
    science = {part: config[part] for part in ("model", "task", "pruner", "fit", "seed")}
    del science["task"]["published"]
    if science["pruner"]["scorer"] is None:
        science["pruner"] = None  # rate and rounds decide nothing
    if science["task"].get("pixel_mask") is not None:
        content = Path(science["task"]["pixel_mask"]).expanduser().read_bytes()
        science["task"]["pixel_mask"] = hashlib.sha256(content).hexdigest()
        del science["task"]["physics"]["pixel_mask"]
    image = {"size": config["image"]["size"], "clean": config["image"]["clean"], "sha256": picture.digest}
    science = {"format": RUN_FORMAT, "image": image, **science}
    return _canonical(science)  # type: ignore[no-any-return]


def _canonical(value: Any) -> Any:
    """25.0 and 25 are the same number, and so give the same run."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
