"""One contract for every physics, named by the tasks in conf/task; and equality with the public downsampler."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lipdip.cli.compose import compose, config_dir
from lipdip.cli.run_command import plain
from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.physics import CompressiveSensing, Denoise, Inpaint, Physics, SuperResolution, as_physics
from lipdip.physics.super_resolution import lanczos2_kernel
from lipdip.tasks.configuration import build

FOREIGN = {"deepinv", "blur", "mri", "tomography"}  # tests/test_deepinv.py
NONE = {"classify", "gan_train"}
TASKS = sorted({path.stem for path in (config_dir() / "task").glob("*.yaml")} - NONE - FOREIGN)
CASES = [(task, ()) for task in TASKS] + [
    ("inpaint", ("task.per_channel=true", "task.sigma=10")),
    ("super_resolution", ("task.factor=2",)),
    ("super_resolution", ("task.factor=3", "task.sigma=5")),
    ("super_resolution", ("task.factor=8",)),
]
SHAPES = [(3, 32, 48), (1, 33, 41)]


def _physics(task: str, settings: tuple[str, ...], shape: tuple[int, int, int], seed: int = 0) -> Physics:
    config = plain(compose(f"task={task}", *settings))
    return build(config, "task.physics", image_shape=shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=[(*case, shape) for case in CASES for shape in SHAPES], ids=str)
def physics(request) -> Physics:
    return _physics(*request.param)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_adjoint(physics, dtype):
    x = torch.rand(2, *physics.image_shape, dtype=dtype)
    y = torch.rand(2, *physics.measurement_shape, dtype=dtype)
    forward, backward = physics.A(x), physics.A_adjoint(y)
    assert forward.shape == y.shape and backward.shape == x.shape
    assert forward.dtype == backward.dtype == dtype
    inner = (forward * y).sum()
    assert abs(inner - (x * backward).sum()) <= 1e-5 * abs(inner)


def test_the_consistent_picture_has_the_very_measurement_and_is_the_nearest_that_has(physics):
    x, x_hat = torch.rand(2, 1, *physics.image_shape, dtype=torch.float64)
    y = physics.A(x)
    found = physics.consistent(x_hat, y)
    if found is None:
        assert isinstance(physics, Denoise) or len(physics.matrix) >= physics.matrix.shape[1]
        return
    torch.testing.assert_close(physics.A(found), y, atol=1e-7, rtol=0)
    assert abs(((found - x_hat) * (x - found)).sum()) < 1e-5  # what was added is orthogonal to all that A does not see
    assert physics.consistent(x_hat.float(), y.float()).dtype == torch.float32
    assert physics.exact is (physics.sigma == 0)


def test_linear(physics):
    a, b = torch.rand(2, 1, *physics.image_shape, dtype=torch.float64)
    torch.testing.assert_close(physics.A(2 * a - b), 2 * physics.A(a) - physics.A(b), atol=1e-12, rtol=1e-12)


def test_noise_is_seeded_and_takes_nothing_from_the_global_generator(physics):
    x = torch.rand(1, *physics.image_shape)
    before = torch.random.get_rng_state()
    first = physics.measure(x, torch.Generator().manual_seed(3))
    again = physics.measure(x, torch.Generator().manual_seed(3))
    other = physics.measure(x, torch.Generator().manual_seed(4))
    assert torch.equal(first, again)
    assert torch.equal(first, other) is (physics.sigma == 0)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.shape == (1, *physics.measurement_shape)


def test_a_measurement_measured_again_is_itself_where_nothing_changes_size(physics):
    if physics.measurement_shape != physics.image_shape:
        pytest.skip("measures another size")
    y = physics.measure(torch.rand(1, *physics.image_shape), torch.Generator())
    assert torch.equal(physics.received(y), y)


def test_loss_is_the_mean_squared_residual(physics):
    x, y = torch.rand(1, *physics.image_shape), torch.rand(1, *physics.measurement_shape)
    assert torch.equal(physics.loss(x, y), (physics.A(x) - y).square().mean())


@pytest.mark.parametrize(
    "make",
    [
        lambda **seed: Denoise((1, 16, 16), **seed),
        lambda **seed: Inpaint((1, 16, 16), sigma=10, **seed),
        lambda **seed: SuperResolution((1, 16, 16), sigma=10, **seed),
        lambda **seed: CompressiveSensing((1, 16, 16), measurements=8, outliers=0.3, **seed),
    ],
)
def test_a_seed_alone_measures_what_a_command_measures(make):
    x = torch.rand(2, 1, 16, 16)
    draw = stream(5, "degradation")
    commanded = make(generator=draw).measure(x, draw)
    physics = make(seed=5)
    assert torch.equal(physics(x), commanded) and torch.equal(physics.measure(x), commanded)
    assert not torch.equal(make(seed=6)(x), commanded)
    assert torch.equal(physics.measure(x, 7), physics.measure(x, 7))
    assert not torch.equal(physics.measure(x, 7), commanded)


def test_a_pixel_mask_may_be_an_array():
    known = np.eye(8) > 0
    assert torch.equal(Inpaint((3, 8, 8), pixel_mask=known)(torch.ones(1, 3, 8, 8))[0, 2], torch.eye(8))


def test_as_physics_takes_physics_only():
    own = Denoise((1, 8, 8))
    assert as_physics(own, (1, 8, 8)) is own
    with pytest.raises(UserError, match="physics"):
        as_physics(own, (1, 8, 9))
    with pytest.raises(UserError, match="Linear"):
        as_physics(torch.nn.Linear(2, 2), (1, 8, 8))


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_downsampler_equals_the_public_one(reference, factor):
    arrays = reference(f"downsampler_lanczos2_x{factor}")
    torch.testing.assert_close(lanczos2_kernel(factor), arrays["kernel"], atol=1e-12, rtol=0)
    torch.testing.assert_close(SuperResolution((3, 64, 96), factor=factor).A(arrays["x"]), arrays["y"])


def test_noise_has_the_level_asked_for():
    physics = _physics("denoise", ("task.clip=false",), (3, 128, 128))
    noise = physics.measure(torch.full((1, 3, 128, 128), 0.5), torch.Generator().manual_seed(0)) - 0.5
    assert noise.std().item() * 255 == pytest.approx(25, rel=0.02)


def test_bernoulli_mask_keeps_the_share_asked_for_and_is_one_for_all_channels_unless_asked():
    draw = torch.Generator().manual_seed(0)
    one = Inpaint((3, 128, 128), draw, keep=0.3).pixel_mask
    assert one.mean().item() == pytest.approx(0.3, abs=0.02)
    assert one.shape == (1, 128, 128)
    each = Inpaint((3, 128, 128), draw, keep=0.3, per_channel=True).pixel_mask
    assert not torch.equal(each[0], each[1])


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(1, 8, 9), "same size"),
        (torch.full((1, 8, 8), 0.5), "0 .unknown. and 1 .known. only"),
        (torch.zeros(1, 8, 8), "knows no pixel"),
        (torch.ones(2, 8, 8), "2 channels"),
    ],
)
def test_a_pixel_mask_that_does_not_fit_is_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        Inpaint((3, 8, 8), pixel_mask=mask)


def test_the_package_has_the_configuration():
    assert Path(config_dir(), "run.yaml").is_file()
