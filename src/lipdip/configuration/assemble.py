"""From a composed configuration to objects that are checked and ready; nothing is written yet."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import nn

from lipdip.configuration.build import blaming, build
from lipdip.configuration.plan import plan_pruning
from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded, stream
from lipdip.core.ticket import Ticket
from lipdip.physics import Physics
from lipdip.problems import Picture, Problem, draw_code, given, measured, read_pixel_mask, sized
from lipdip.training.experiment import Experiment
from lipdip.training.settings import FitSettings

SSIM_WINDOW = 11  # pixels
RUN_FORMAT = 1  # part of every run's name: raised when the same configuration would give other numbers


def assemble(cfg: DictConfig) -> Experiment:
    """The experiment that ``cfg`` describes.

    Raises:
        UserError: if anything in it cannot be, in one line that names it.
    """
    try:
        return _assemble(cfg)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if os.environ.get("LIPDIP_TRACEBACK") == "1":
            raise
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"this configuration cannot be run: {what} (LIPDIP_TRACEBACK=1 shows where)") from error


def _assemble(cfg: DictConfig) -> Experiment:
    settings = FitSettings(**_plain(cfg.fit), answer=cfg.task.score.answer)
    hardware = build(cfg.trainer)
    seed = _seed(cfg, "seed")
    picture = _picture(cfg)
    problem, notes = _problem(cfg, picture)
    channels, height, width = problem.physics.image_shape
    with default_generator_seeded(seed, "reinit" if cfg.pruner.init == "reinit" else "init"):
        network: nn.Module = build(cfg.model, out_channels=channels)
    with blaming(cfg.model):
        code = draw_code(network.code_shape(height, width), seed)  # type: ignore[operator]
    with blaming(cfg.pruner):
        pruning, tickets = plan_pruning(cfg.pruner, network, code, settings.steps)
    metric = build(cfg.task.score.metric)
    if min(height, width) - 2 * metric.crop < SSIM_WINDOW:
        raise UserError(
            f"task.score.metric.crop={metric.crop} leaves too little of a picture of {height}x{width} pixels"
        )
    return Experiment(
        problem=problem,
        network=network,
        code=code,
        metric=metric,
        settings=settings,
        hardware=hardware,
        pruning=pruning,
        seed=seed,
        configuration=_science(cfg, picture, problem.physics.image_shape, tickets),
        notes=notes,
    )


def _plain(node: DictConfig) -> dict[str, Any]:
    values: dict[str, Any] = OmegaConf.to_container(node, resolve=True)  # type: ignore[assignment]
    return values


def _seed(node: DictConfig, name: str) -> int:
    value = OmegaConf.select(node, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UserError(f"{name} must be a whole number of at least 0, not {value!r}")
    return value


def _picture(cfg: DictConfig) -> Picture:
    sources = cfg.image.get("pictures") or {}
    if len(sources) != 1:
        raise UserError(f"give one image, not {len(sources)}{': ' if sources else ''}{', '.join(sources)}")
    if cfg.image.path is not None and "file" not in sources:
        raise UserError(f"image.path needs image=file beside it; image={next(iter(sources))} has its own")
    (source,) = sources.values()
    picture: Picture = build(source)
    return picture


def _problem(cfg: DictConfig, picture: Picture) -> tuple[Problem, tuple[str, ...]]:
    """The problem, and what was done to the picture on the way."""
    if not isinstance(cfg.image.clean, bool):
        raise UserError(f"image.clean must be true or false, not {cfg.image.clean!r}")
    task, size = cfg.task, _plain(cfg.image)["size"]
    if size == "auto":  # what is degraded already must not be resampled: its noise would be another
        size = cfg.protocol.image_size if cfg.image.clean else None
    draw = stream(_seed(cfg, "task.seed"), "degradation")
    settings: dict[str, Any] = {"generator": draw}
    if task.get("pixel_mask") is not None:
        settings["pixel_mask"] = read_pixel_mask(task.pixel_mask, picture, size, cfg.image.clean)
    if cfg.image.clean:
        picture = sized(picture, size)
        physics: Physics = build(task.physics, image_shape=tuple(picture.pixels.shape), **settings)
        return measured(picture.name, picture.pixels, physics, draw), picture.notes
    if task.name == "inpaint" and task.pixel_mask is None:
        raise UserError("image.clean=false with task=inpaint needs task.pixel_mask=PICTURE: which pixels are known?")
    scale = task.get("factor", 1)  # how many times smaller than its picture a measurement is
    if isinstance(scale, bool) or not isinstance(scale, int) or scale < 1:
        raise UserError(f"task.factor must be a whole number of at least 2, not {scale!r}")
    picture = sized(picture, size, scale=scale, resample=False)
    channels, height, width = picture.pixels.shape
    physics = build(task.physics, image_shape=(channels, scale * height, scale * width), **settings)
    return given(picture.name, picture.pixels, physics), picture.notes


def _science(cfg: DictConfig, picture: Picture, shape: Sequence[int], tickets: Sequence[Ticket]) -> dict[str, Any]:
    """What decides the numbers: not paths, device, logger or names of presets, but the pictures' contents."""
    config = _plain(cfg)
    science = {part: config[part] for part in ("model", "task", "pruner", "fit", "seed")}
    del science["task"]["published"]
    if science["pruner"]["scorer"] is None:
        science["pruner"] = None  # rate and rounds decide nothing
    elif tickets:
        science["pruner"]["ticket"] = [ticket.mask.digest() for ticket in tickets]
    if science["task"].get("pixel_mask") is not None:
        content = Path(science["task"]["pixel_mask"]).expanduser().read_bytes()
        science["task"]["pixel_mask"] = hashlib.sha256(content).hexdigest()
        del science["task"]["physics"]["pixel_mask"]
    image = {"shape": list(shape), "clean": config["image"]["clean"], "sha256": picture.digest}
    science = {"format": RUN_FORMAT, "image": image, **science}
    return _canonical(science)  # type: ignore[no-any-return]


def _canonical(value: Any) -> Any:
    """25.0 and 25 are the same number, and so give the same run."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
