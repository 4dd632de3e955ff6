"""Physics of deepinv as physics of lipdip: operators, noise, and the tasks of conf/task that they stand behind."""

import math
import os
import sys
from functools import partial

import hydra.utils
import pytest
import torch
from torch import nn

import lipdip as lip
from lipdip.cli.compose import compose
from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.physics import FromDeepinv, as_physics, build_foreign
from lipdip.tasks import read_rounds


@pytest.fixture(scope="session")
def deepinv():
    """The package deepinv, of this environment or of the folder that DEEPINV_SITE names.

    A torchvision of another build than torch's (CUDA beside CPU) refuses to load until two of its operators are there,
    and torchmetrics, and so Lightning, loads any torchvision that it finds: such a pair lies in a folder of its own.
    """
    if "DEEPINV_SITE" in os.environ:
        sys.path.append(os.environ["DEEPINV_SITE"])
        torch.library.define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torch.library.define("torchvision::qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return pytest.importorskip("deepinv", reason="deepinv is not installed")


def _blur(deepinv, **settings):
    kernel = deepinv.physics.functional.gaussian_blur(sigma=(1.0, 2.0))
    return deepinv.physics.Blur(filter=kernel, **settings)


OPERATORS = {
    "blur": ((3, 16, 20), _blur),
    "inpainting": ((3, 16, 20), lambda deepinv: deepinv.physics.Inpainting((3, 16, 20), mask=0.5)),
    "downsampling": ((3, 16, 20), lambda deepinv: deepinv.physics.Downsampling((3, 16, 20), filter="bicubic")),
    "denoising": ((1, 16, 20), lambda deepinv: deepinv.physics.Denoising()),
    "mri": ((2, 16, 20), lambda deepinv: deepinv.physics.MRI(img_size=(16, 20))),
    "mri of a grey picture": ((1, 16, 20), lambda deepinv: deepinv.physics.MRI(img_size=(16, 20))),
    "tomography": ((1, 16, 16), lambda deepinv: deepinv.physics.Tomography(9, 16, normalize=True)),
}


@pytest.fixture(params=OPERATORS)
def physics(request, deepinv):
    shape, make = OPERATORS[request.param]
    return as_physics(make(deepinv), shape)


def test_adjoint(physics):
    x = torch.rand(2, *physics.image_shape)
    y = torch.rand(2, *physics.measurement_shape)
    assert physics.A(x).shape == y.shape and physics.A_adjoint(y).shape == x.shape
    left, right = (physics.A(x) * y).sum(), (x * physics.A_adjoint(y)).sum()
    torch.testing.assert_close(left, right, rtol=1e-3, atol=1e-3)


def test_a_fit_finds_its_way_downhill(physics):
    y = physics.measure(torch.rand(1, *physics.image_shape))
    x = torch.full((1, *physics.image_shape), 0.1, requires_grad=True)
    loss = physics.loss(x, y)
    loss.backward()
    torch.testing.assert_close(
        x.grad, 2 * physics.A_adjoint(physics.A(x.detach()) - y) / y.numel(), rtol=1e-3, atol=1e-6
    )
    assert physics.loss((x - 1e-2 / x.grad.norm() * x.grad).detach(), y) < loss


def test_preview_is_a_picture(physics):
    x = torch.rand(1, *physics.image_shape)
    shown = physics.preview(physics.measure(x))
    assert shown.shape[2:] == x.shape[2:] and shown.shape[1] in (1, 3)
    assert shown.min() >= 0 and shown.max() <= 1


@pytest.mark.parametrize("own", [False, True], ids=["global", "its own generator"])
@pytest.mark.parametrize("noise", ["GaussianNoise", "PoissonNoise", "GammaNoise", "UniformNoise", "SaltPepperNoise"])
def test_noise_is_seeded_and_takes_nothing_from_other_generators(deepinv, noise, own):
    model = getattr(deepinv.physics, noise)()
    model.rng = rng = torch.Generator().manual_seed(1) if own else None
    physics = as_physics(_blur(deepinv, noise_model=model), (1, 16, 20))
    x = torch.rand(1, 1, 16, 20)
    before = torch.random.get_rng_state(), rng.get_state() if own else torch.empty(0)
    first, again, other = (physics.measure(x, stream(seed, "noise")) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(physics(x), physics(x)) and not torch.equal(physics.A(x), first)
    assert torch.equal(before[0], torch.random.get_rng_state()) and model.rng is rng
    assert not own or torch.equal(before[1], rng.get_state())


@pytest.mark.parametrize(
    ("task", "shape", "target"),
    [("blur", (3, 16, 20), "Blur"), ("mri", (1, 32, 40), "MRI"), ("tomography", (1, 16, 16), "Tomography")],
)
def test_a_task_builds_its_physics_again_from_its_seed(deepinv, task, shape, target):
    node = hydra.utils.instantiate(compose(f"task={task}").task.physics, _partial_=True, _convert_="all")
    assert node.func is getattr(deepinv.physics, target)
    x = torch.rand(1, *shape)

    def measured(seed):
        draw = stream(seed, "degradation")
        return build_foreign(node.func, shape, draw, **node.keywords).measure(x, draw)

    assert torch.equal(measured(0), measured(0)) and not torch.equal(measured(0), measured(1))


def test_any_class_of_deepinv_is_a_task(deepinv):
    cfg = compose("task=deepinv", "task.physics._target_=deepinv.physics.Inpainting", "+task.physics.mask=0.5")
    node = hydra.utils.instantiate(cfg.task.physics, _partial_=True, _convert_="all")
    physics = build_foreign(node.func, (1, 32, 32), stream(0, "degradation"), **node.keywords)
    share = physics.measure(torch.ones(1, 1, 32, 32)).mean()
    assert 0.4 < share < 0.6


@pytest.mark.parametrize(
    "words",
    [
        ("task=blur",),
        ("task=mri", "image=camera"),
        ("task=tomography", "image=camera", "task.angles=9"),
        ("task=deepinv", "task.physics._target_=deepinv.physics.Inpainting", "+task.physics.mask=0.5"),
    ],
    ids=lambda words: words[0],
)
def test_a_whole_run_prunes_and_restores(deepinv, tiny, words):
    run, printed = tiny(*words, "pruner.rounds=1", "trainer=cpu")
    rows = read_rounds(run)
    assert [row.matching is None for row in rows] == [False, False] and rows[1].sparsity == pytest.approx(0.2, abs=0.01)
    assert all(math.isfinite(row.psnr_best) for row in rows) and run.name in printed
    assert tiny(*words, "pruner.rounds=1", "trainer=cpu")[0] == run, "the same run again"


def test_a_prior_is_a_reconstructor_of_deepinv(deepinv):
    small = partial(lip.Hourglass, channels=4, scales=2)
    prior = lip.DeepImagePrior(network=small, steps=3, hardware=lip.Hardware("cpu"))
    physics = deepinv.physics.Denoising()
    y = physics(torch.rand(2, 3, 32, 32))
    made = prior.reconstructor()
    assert isinstance(made, deepinv.models.Reconstructor)
    with torch.no_grad():
        found = made(y, physics)
    assert found.shape == y.shape and found.dtype == torch.float32 and not found.requires_grad
    assert torch.equal(found, prior(y, physics)), "the same fit"


def test_what_deepinv_would_ignore_is_refused(deepinv):
    with pytest.raises(UserError, match="filtre"):
        build_foreign(deepinv.physics.Blur, (1, 16, 16), None, filtre=1)
    with pytest.raises(UserError, match="square"):
        build_foreign(deepinv.physics.Tomography, (1, 16, 20), None, angles=9)
    with pytest.raises(UserError, match="Tomography"):
        as_physics(deepinv.physics.Tomography(9, 16, normalize=True), (1, 20, 20))
    with pytest.raises(UserError, match="TensorList"):
        as_physics(_blur(deepinv).stack(_blur(deepinv)), (1, 16, 16))


class _Squared(nn.Module):
    """A physics that is not linear, complex, and not deepinv's."""

    def A(self, x):  # noqa: N802
        return x.square() * (1 + 1j)

    def forward(self, x):
        return self.A(x) + 0.1 * torch.randn(x.shape)


def test_a_physics_need_not_be_linear_nor_deepinvs():
    physics = FromDeepinv(_Squared(), (1, 4, 4))
    x, y = torch.full((1, 1, 4, 4), 0.5), torch.zeros(1, 1, 4, 4, dtype=torch.complex64)
    assert physics.loss(x, y).item() == pytest.approx(2 * 0.25**2)
    assert torch.equal(physics(x), physics(x)) and not torch.equal(physics.measure(x, 1), physics.measure(x, 2))
    assert physics.preview(physics(x)) is None
    with pytest.raises(UserError, match="A_adjoint"):
        physics.A_adjoint(y)


def test_exact_data_are_kept_where_the_rows_are_orthonormal(deepinv):
    mask = (torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    x, x_hat = torch.rand(2, 1, 1, 16, 16)
    holes = as_physics(deepinv.physics.Inpainting(img_size=(1, 16, 16), mask=mask), (1, 16, 16))
    found = holes.consistent(x_hat, holes.A(x))
    assert holes.exact and torch.equal(holes.A(found), holes.A(x))
    assert torch.equal(found[mask[None] == 0], x_hat[mask[None] == 0])
    scan = as_physics(deepinv.physics.MRI(mask=mask, img_size=(2, 16, 16)), (1, 16, 16))
    assert scan.consistent(x_hat, scan.A(x)) is None  # of a real picture, a random half of k-space is redundant
    blurred = as_physics(_blur(deepinv), (1, 16, 16))
    assert blurred.consistent(x_hat, blurred.A(x)) is None  # what little noise there is would grow
    whole = as_physics(deepinv.physics.Denoising(deepinv.physics.ZeroNoise()), (1, 16, 16))
    assert whole.exact and whole.consistent(x_hat, x) is None  # the measurement itself is no restoration of it
    noisy = deepinv.physics.Inpainting(
        img_size=(1, 16, 16), mask=mask, noise_model=deepinv.physics.GaussianNoise(sigma=0.1)
    )
    assert not as_physics(noisy, (1, 16, 16)).exact
