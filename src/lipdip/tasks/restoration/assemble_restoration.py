"""From a composed configuration to a prior that is fitted to one picture or to several."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import nn

from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded, stream
from lipdip.fit.experiment import Origin, Restoration
from lipdip.fit.settings import FitSettings, Multi
from lipdip.physics import Physics
from lipdip.pictures import Picture, Problem, altered, draw_codes, given, measured, read_pixel_mask, sized
from lipdip.tasks.build import blaming, build
from lipdip.tasks.common import common
from lipdip.tasks.science import origin_of, plain
from lipdip.tasks.sources import pictures, whole
from lipdip.tasks.starting_point import given_ticket, init_stream

SSIM_WINDOW = 11  # pixels


def assemble_restoration(cfg: DictConfig) -> Restoration:
    """The experiment that ``cfg`` describes, of any task that restores pictures.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together.
        ValueError, TypeError: from a constructor, where the message names no setting.
    """
    if "reg_noise_std" not in cfg.fit:
        raise UserError(f"task={cfg.task.name} with an untrained network is fitted by fit=adam or fit=sgld")
    settings = FitSettings(**plain(cfg.fit), answer=cfg.task.score.answer)
    multi = Multi(**plain(cfg.multi))
    seed, found = whole(cfg, "seed"), given_ticket(cfg)
    sources = pictures(cfg)
    problems, notes = zip(*(_problem(cfg, picture, number) for number, picture in enumerate(sources)), strict=True)
    shapes = [problem.physics.image_shape for problem in problems]
    channels = _channels(shapes, multi, [problem.name for problem in problems])
    with default_generator_seeded(seed, init_stream(cfg, found)):
        network: nn.Module = build(cfg.model, out_channels=channels)
    with blaming(cfg.model):
        code_shapes = [network.code_shape(height, width) for _, height, width in shapes]  # type: ignore[operator]
    codes = draw_codes(code_shapes, seed, multi.code == "shared")
    metric = build(cfg.task.score.metric)
    for _, height, width in shapes:
        if min(height, width) - 2 * metric.crop < SSIM_WINDOW:
            raise UserError(
                f"task.score.metric.crop={metric.crop} leaves too little of a picture of {height}x{width} pixels"
            )
    origin = Origin(origin_of(cfg.model, out_channels=channels), init_stream(cfg, found))
    told = [note for several in notes for note in several]
    return Restoration(
        **common(cfg, network, origin, codes[0], found, settings.steps, told, **_measurements(cfg, sources, shapes)),
        problems=problems,
        codes=codes,
        metric=metric,
        settings=settings,
        multi=multi,
    )


def _channels(shapes: Sequence[Sequence[int]], multi: Multi, names: Sequence[str]) -> int:
    """Channels of the network's output: one picture's, or with a head for each picture all of them."""
    if multi.head == "per_image":
        return sum(shape[0] for shape in shapes)
    if len({shape[0] for shape in shapes}) > 1:
        kinds = ", ".join(
            f"{name} {'grey' if shape[0] == 1 else 'RGB'}" for name, shape in zip(names, shapes, strict=True)
        )
        raise UserError(f"grey and RGB pictures cannot share an output ({kinds}); give multi.head=per_image")
    if multi.code == "shared" and len({tuple(shape) for shape in shapes}) > 1:
        sizes = ", ".join(f"{name} {shape[1]}x{shape[2]}" for name, shape in zip(names, shapes, strict=True))
        raise UserError(
            f"with code and head both shared there is one output, and the pictures have different sizes ({sizes}); "
            "give an image.size, or multi.code=per_image, or multi.head=per_image"
        )
    return shapes[0][0]


def _problem(cfg: DictConfig, picture: Picture, number: int) -> tuple[Problem, tuple[str, ...]]:
    """The problem, and what was done to the picture on the way; each picture has its own degradation."""
    if not isinstance(cfg.image.clean, bool):
        raise UserError(f"image.clean must be true or false, not {cfg.image.clean!r}")
    task, size = cfg.task, _size(cfg)
    draw = stream(whole(cfg, "task.seed"), f"degradation/picture {number}" if number else "degradation")
    settings: dict[str, Any] = {"generator": draw}
    if task.get("pixel_mask") is not None:
        settings["pixel_mask"] = read_pixel_mask(task.pixel_mask, picture, size, cfg.image.clean)
    if cfg.image.clean:
        picture = sized(picture, size)
        picture = altered(picture, cfg.image.content, stream(whole(cfg, "task.seed"), f"content/picture {number}"))
        physics: Physics = build(task.physics, image_shape=tuple(picture.pixels.shape), **settings)
        return measured(picture.name, picture.pixels, physics, draw), picture.notes
    if cfg.image.content != "picture":
        raise UserError(f"image.content={cfg.image.content} makes a target of a clean picture, not of a degraded one")
    if task.name == "inpaint" and task.pixel_mask is None:
        raise UserError("image.clean=false with task=inpaint needs task.pixel_mask=PICTURE: which pixels are known?")
    scale = task.get("factor", 1)  # how many times smaller than its picture a measurement is
    if isinstance(scale, bool) or not isinstance(scale, int) or scale < 1:
        raise UserError(f"task.factor must be a whole number of at least 2, not {scale!r}")
    picture = sized(picture, size, scale=scale, resample=False)
    channels, height, width = picture.pixels.shape
    physics = build(task.physics, image_shape=(channels, scale * height, scale * width), **settings)
    return given(picture.name, picture.pixels, physics), picture.notes


def _size(cfg: DictConfig) -> Any:
    """The size that pictures are brought to; None: each keeps its own, cropped to a multiple that a network can fit."""
    size = plain(cfg.image)["size"]
    if size != "auto":
        return size
    return cfg.protocol.image_size if cfg.image.clean else None  # resampling a degraded picture would change its noise


def _measurements(cfg: DictConfig, sources: Sequence[Picture], shapes: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The parts of the run's identity that tell its task, its pictures, and what several pictures share."""
    task, image = plain(cfg.task), plain(cfg.image)
    del task["published"]
    if task.get("pixel_mask") is not None:
        task["pixel_mask"] = hashlib.sha256(Path(task["pixel_mask"]).expanduser().read_bytes()).hexdigest()
        del task["physics"]["pixel_mask"]
    seen: list[dict[str, Any]] = [
        {"shape": list(shape), "clean": image["clean"], "sha256": picture.digest, "content": image["content"]}
        for picture, shape in zip(sources, shapes, strict=True)
    ]
    if image["clean"] and _size(cfg) is None:
        for one, picture in zip(seen, sources, strict=True):
            if one["shape"] != list(picture.pixels.shape):
                one["cropped"] = True  # resampled to this shape its pixels would be others
    measured = {"task": task, "image": seen}
    if len(sources) > 1:
        multi = plain(cfg.multi)
        del multi["accumulate"]
        measured["multi"] = multi
    return measured
