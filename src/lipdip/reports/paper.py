"""The paper's numbers, as its tables and text state them; figures of it are read nowhere."""

from collections.abc import Mapping, Sequence
from typing import Any

Numbers = Mapping[tuple[str, str], Mapping[float, float]]  # by panel and series: the value at each sparsity
_TABLE_1, _TABLE_4 = (0.0, 0.20, 0.36, 0.49, 0.59, 0.67, 0.74), (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def _at(sparsities: Sequence[float], *values: float) -> dict[float, float]:
    return dict(zip(sparsities, values, strict=True))


def _twice(task: str, pruner: str, *values: float) -> Numbers:
    """A row of Table 1, beside both ways in which a ticket can be used."""
    numbers = _at(_TABLE_1, *values)
    return {(task, f"{pruner}, {weights}"): numbers for weights in ("mask on pretrained weights", "fine-tuned")}


# Table 1: MSE per pixel on [-1, 1].
TABLE_1: Numbers = {
    **_twice("compressive_sensing", "IMP", 0.0725, 0.0744, 0.0732, 0.0737, 0.0711, 0.0728, 0.0728),
    **_twice("compressive_sensing", "random", 0.0725, 0.0963, 0.1165, 0.1276, 0.2184, 0.2086, 0.3655),
    **_twice("gan_inpaint", "IMP", 0.0541, 0.0542, 0.0504, 0.0514, 0.0506, 0.0524, 0.0509),
    **_twice("gan_inpaint", "random", 0.0541, 0.0682, 0.0748, 0.0810, 0.1142, 0.1904, 0.2195),
    ("compressive_sensing", "dense"): {0.0: 0.0725},
    ("gan_inpaint", "dense"): {0.0: 0.0541},
}
# Table 2: parameters that are not zero.
TABLE_2: Numbers = {
    ("denoise", "deep decoder"): {0.0: 100_224},
    ("super_resolution", "deep decoder"): {0.0: 100_224},
    ("inpaint", "deep decoder"): {0.0: 619_200},
    ("denoise", "IMP"): {0.9715: 102_746},
    ("super_resolution", "IMP"): {0.9715: 102_746},
    ("inpaint", "IMP"): {0.738: 608_298, 0.790: 494_251},
}
# Table 3: 2.2 million parameters against 0.2 million, which is the ladder's 0.914.
TABLE_3: Numbers = {("denoise", "IMP"): {0.0: 30.35, 0.914: 30.61}}
TABLE_4: Numbers = {
    ("denoise", "SynFlow"): _at(_TABLE_4, 31.06, 31.05, 30.62, 30.54, 30.59, 30.41, 30.11, 28.98),
    ("denoise", "IMP"): _at(_TABLE_4, 31.06, 31.15, 31.11, 31.12, 31.13, 31.11, 31.03, 30.91),
}
# Table 5: DIP is the dense network, LIP its ticket at 73.79%.
TABLE_5: Numbers = {
    ("bm3d denoise", "IMP"): {0.0: 27.87, 0.738: 28.27},
    ("cbm3d denoise", "IMP"): {0.0: 28.93, 0.738: 29.45},
    ("bm3d inpaint", "IMP"): {0.0: 31.04, 0.738: 32.44},
    ("set12 denoise", "IMP"): {0.0: 27.92, 0.738: 28.12},
    ("set12 inpaint", "IMP"): {0.0: 31.00, 0.738: 31.78},
    ("set5 super_resolution x4", "IMP"): {0.0: 29.89, 0.738: 30.52},
    ("set5 super_resolution x8", "IMP"): {0.0: 25.88, 0.738: 26.17},
    ("set14 super_resolution x4", "IMP"): {0.0: 27.00, 0.738: 27.31},
    ("set14 super_resolution x8", "IMP"): {0.0: 24.15, 0.738: 24.31},
}

_FIT = {"fit.lr": 0.01, "fit.ema": 0.99, "fit.ema_correct": False, "fit.weight_noise": 0, "fit.weight_decay": 0}
_RESTORING = {
    **{"model.channels": 128, "model.scales": 5, "model.skip_channels": 4, "model.code_channels": 32},
    **{**_FIT, "pruner.rate": 0.2, "pruner.scope": "all", "pruner.rewind": 0},
}
_RECOVERING = {"fit.steps": 1500, "fit.lr": 0.01}
# What decides the numbers of each task. How many rounds a run has is not here: no round changes those before it.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "denoise": {**_RESTORING, "fit.steps": 3000, "fit.reg_noise_std": 1 / 30, "task.sigma": 25},
    "inpaint": {**_RESTORING, "fit.steps": 3000, "fit.reg_noise_std": 0.03, "task.keep": 0.5},
    "super_resolution": {**_RESTORING, "fit.steps": 2000, "fit.reg_noise_std": 0.03},
    "compressive_sensing": {**_RECOVERING, "task.measurements": 1000},
    "gan_inpaint": {**_RECOVERING, "task.keep": 0.5},
}
DECODERS: Mapping[str, Mapping[str, Any]] = {  # what a deep decoder has otherwise
    task: {"model.channels": channels, "fit.reg_noise_std": 0.0}
    for task, channels in (("denoise", 128), ("super_resolution", 128), ("inpaint", 320))
}
