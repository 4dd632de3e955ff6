"""From a composed configuration to a prior that is fitted to one picture or to several."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from math import lcm
from typing import Any

from torch import nn

from lipdip.core.check import choice, flag, number
from lipdip.core.errors import UserError
from lipdip.core.files import checked_path, read_regular
from lipdip.core.metrics import Metric
from lipdip.core.seeds import default_generator_seeded, stream
from lipdip.fit.experiment import Experiment, Origin
from lipdip.fit.hardware import Hardware
from lipdip.fit.memory import check, forecast
from lipdip.fit.settings import ANSWERS, FitSettings, Multi
from lipdip.networks.protocol import code_shape_of, multiple_of
from lipdip.physics import Physics, build_foreign
from lipdip.pictures import Picture, Problem, draw_codes, pixel_mask, sized, with_content
from lipdip.pictures.emptiness import said_if_empty
from lipdip.pictures.prepare import MULTIPLE
from lipdip.runs.identity import unusual
from lipdip.tasks.configuration import Config, arguments, blaming, build, seed_of, settings_of, target
from lipdip.tasks.parts import begin, experiment, node_identity, pictures, run_seed
from lipdip.tasks.restoration.prior_fitting import PriorFitting
from lipdip.tasks.starting_point import given_ticket, init_stream

SSIM_WINDOW = 11  # pixels


def assemble_restoration(config: Config) -> Experiment:
    """The experiment that a configuration describes, of any task that restores pictures.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together.
        ValueError, TypeError: from a constructor, where the message names no setting.
    """
    if config["model"]["_target_"] == "lipdip.networks.Generator":
        raise UserError(f"task={config['task']['name']} with model=pggan is searched by fit=latent")
    answer = config["task"]["score"]["answer"]
    with blaming(config, "task.score"):
        choice("answer", answer, ANSWERS)
    settings = build(config, "fit", FitSettings, answer=answer)
    with blaming(config, "multi"):
        multi = Multi(**config["multi"])
    seed, found, sources = run_seed(config), given_ticket(config), pictures(config)
    channels = _channels(sources, multi)
    with default_generator_seeded(seed, init_stream(config, found)):
        network = build(config, "model", nn.Module, out_channels=channels)
    multiple = _multiple(config, network)
    problems, notes = zip(
        *(_problem(config, picture, place, multiple) for place, picture in enumerate(sources)), strict=True
    )
    shapes = [problem.physics.image_shape for problem in problems]
    _check_one_output(shapes, multi, [problem.name for problem in problems])
    with blaming(config, "model"):
        code_shapes = [code_shape_of(network, shape) for shape in shapes]
    hardware = build(config, "trainer", Hardware)
    needed = forecast(network, code_shapes, shapes, settings, not multi.accumulate)
    check(needed, hardware.device, times=4)  # what is hopeless is refused before its codes are drawn
    codes = draw_codes(code_shapes, seed, multi.code == "shared")
    metric = build(config, "task.score.metric", Metric)
    for _, height, width in shapes:
        if min(height, width) - 2 * metric.crop < SSIM_WINDOW:
            raise UserError(
                f"task.score.metric.crop={metric.crop} leaves too little of a picture of {height}x{width} pixels"
            )
    model = {
        "target": config["model"]["_target_"],
        "settings": {**settings_of(config["model"]), "out_channels": channels},
    }
    started, origin, unmasked = begin(config, network, Origin(model, init_stream(config, found)), codes[0], found)
    clean = config["pruner"]["target"] == "clean"
    module = PriorFitting(
        network,
        [problem.without_noise() for problem in problems] if clean else problems,
        settings,
        seed=seed,
        codes=codes,
        mask=started.mask,
        metric=metric,
        multi=multi,
        hardware=hardware,
        unmasked=unmasked,
    )
    task, image = _task(config), _images(config, sources, shapes)
    several = {name: item for name, item in config["multi"].items() if name != "accumulate"}
    identity = {
        **node_identity(config, "fit", answer=answer),
        **node_identity(config, "model"),
        **_task_identity(config, task),
        **{f"image.{place}.{name}": item for place, one in enumerate(image) for name, item in _unusual(one).items()},
        **(unusual(Multi, several, "multi") if len(sources) > 1 else {}),
    }
    configuration = {"task": task, "image": image, **({"multi": several} if len(sources) > 1 else {})}
    whole = [note for own in notes for note in own]
    made = experiment(config, module, started, origin, whole, identity, configuration)
    return replace(made, memory=needed)


def _channels(sources: Sequence[Picture], multi: Multi) -> int:
    """Channels of the network's output: one picture's, or with a head for each picture all of them."""
    counts = [picture.pixels.shape[0] for picture in sources]
    if multi.head == "per_image":
        return sum(counts)
    if len(set(counts)) > 1:
        kinds = ", ".join(
            f"{picture.name} {'grey' if count == 1 else 'RGB'}" for picture, count in zip(sources, counts, strict=True)
        )
        raise UserError(f"grey and RGB pictures cannot share an output ({kinds}); give multi.head=per_image")
    return counts[0]


def _check_one_output(shapes: Sequence[Sequence[int]], multi: Multi, names: Sequence[str]) -> None:
    """Where code and head are shared there is one output, and so one size."""
    if multi.head != "per_image" and multi.code == "shared" and len({tuple(shape) for shape in shapes}) > 1:
        sizes = ", ".join(f"{name} {shape[1]}x{shape[2]}" for name, shape in zip(names, shapes, strict=True))
        raise UserError(
            f"with code and head both shared there is one output, and the pictures have different sizes ({sizes}); "
            "give an image.size, or multi.code=per_image, or multi.head=per_image"
        )


def _multiple(config: Config, network: nn.Module) -> int:
    """What both sides of a restored picture must be divisible by, for the protocol, the network and the task."""
    image, task = config["image"], config["task"]
    made = target(task["physics"], "task.physics")
    shipped = isinstance(made, type) and issubclass(made, Physics) and made.__module__.startswith("lipdip.")
    wanted = {"image.multiple": image["multiple"], "task.multiple": task.get("multiple", 1 if shipped else MULTIPLE)}
    for name, value in wanted.items():
        with blaming(config, name.partition(".")[0]):
            number("multiple", value, low=1, whole=True)
    with blaming(config, "model"):
        return lcm(*wanted.values(), multiple_of(network))


def _problem(config: Config, picture: Picture, place: int, multiple: int) -> tuple[Problem, tuple[str, ...]]:
    """The problem, and what was done to the picture on the way; each picture has its own degradation."""
    image, task, size = config["image"], config["task"], _size(config)
    with blaming(config, "image"):
        flag("clean", image["clean"])
    seed, known = seed_of(config, "task.seed"), None
    draw = stream(seed, f"degradation/picture {place}" if place else "degradation")
    settings: dict[str, Any] = {"generator": draw}
    if task.get("pixel_mask") is not None:
        mask = pixel_mask(task["pixel_mask"], picture, size, image["clean"], multiple)
        settings["pixel_mask"] = known = mask.pixels
        picture = replace(picture, notes=(*picture.notes, *mask.notes))
    scale = task.get("factor", 1)  # how many times smaller than its picture a measurement is
    with blaming(config, "task"):
        number("factor", scale, low=1, whole=True)
    if image["clean"]:
        # Of an own size that the factor does not divide, the last rows would hardly be measured.
        picture = sized(picture, size, scale if size is None and multiple == 1 else multiple)
        picture = with_content(picture, image["content"], stream(seed, f"content/picture {place}"))
        picture = said_if_empty(picture) if image["content"] == "picture" else picture
        physics = _physics(config, tuple(picture.pixels.shape), **settings)
        return Problem.measured(picture.pixels, physics, draw, picture.name), picture.notes
    if image["content"] != "picture":
        raise UserError(f"image.content={image['content']} makes a target of a clean picture, not of a degraded one")
    if task["name"] == "inpaint" and task["pixel_mask"] is None:
        raise UserError("image.clean=false with task=inpaint needs task.pixel_mask=PICTURE: which pixels are known?")
    picture = sized(picture, size, multiple, scale=scale, resample=False)
    picture = said_if_empty(picture, known)
    channels, height, width = picture.pixels.shape
    physics = _physics(config, (channels, scale * height, scale * width), **settings)
    if len(physics.measurement_shape) != 3:
        raise UserError(f"image.clean=false: a picture is no measurement of task={task['name']}")
    with blaming(config, "image"):
        return Problem(picture.pixels, physics, name=picture.name), picture.notes


def _physics(config: Config, shape: tuple[int, ...], **settings: Any) -> Physics:
    """Lipdip's own physics, or another library's, wrapped."""
    made = target(config["task"]["physics"], "task.physics")
    if isinstance(made, type) and issubclass(made, Physics):
        return build(config, "task.physics", Physics, image_shape=shape, **settings)
    with blaming(config, "task.physics"):
        return build_foreign(made, shape, **settings, **arguments(config["task"]["physics"], "task.physics"))


def _size(config: Config) -> Any:
    """The size that pictures are brought to; None: each keeps its own, cropped to a multiple where one is needed."""
    image = config["image"]
    if image["size"] != "auto":
        return image["size"]
    # resampling a degraded picture would change its noise
    return config["protocol"]["image_size"] if image["clean"] else None


def _task(config: Config) -> dict[str, Any]:
    """The task's own values, with the contents of files in place of their names."""
    task: dict[str, Any] = {
        name: item for name, item in config["task"].items() if name not in ("published", "fits", "multiple")
    }
    if task.get("pixel_mask") is not None:
        content = read_regular(checked_path(task["pixel_mask"], "task.pixel_mask"))
        task["pixel_mask"] = hashlib.sha256(content).hexdigest()
        task["physics"] = {name: item for name, item in task["physics"].items() if name != "pixel_mask"}
    return task


def _task_identity(config: Config, task: dict[str, Any]) -> dict[str, Any]:
    """Physics, degradation and score."""
    instead = {} if task.get("pixel_mask") is None else {"pixel_mask": task["pixel_mask"]}
    metric = node_identity(config, "task.score.metric", "task.metric")
    del metric["task.metric"]  # there is one
    seed = {"task.seed": task["seed"]} if task["seed"] else {}
    return {**node_identity(config, "task.physics", "task", **instead), **seed, **metric}


def _images(config: Config, sources: Sequence[Picture], shapes: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """What each picture is: its shape, its source's digest, and what was done to it."""
    image = config["image"]
    seen: list[dict[str, Any]] = [
        {"shape": list(shape), "clean": image["clean"], "sha256": picture.digest, "content": image["content"]}
        for picture, shape in zip(sources, shapes, strict=True)
    ]
    if image["clean"] and _size(config) is None:
        for one, picture in zip(seen, sources, strict=True):
            if one["shape"] != list(picture.pixels.shape):
                one["cropped"] = True  # resampled to this shape its pixels would be others
    return seen


def _unusual(image: dict[str, Any]) -> dict[str, Any]:
    """An image's entries without those that are as usual."""
    usual = {"clean": True, "content": "picture"}
    return {name: item for name, item in image.items() if usual.get(name) != item or name not in usual}
