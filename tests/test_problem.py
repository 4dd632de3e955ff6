"""Problems and pictures from arrays of every kind; what cannot be one is refused by name."""

import numpy as np
import pytest
import torch

from lipdip.core.seeds import stream
from lipdip.physics import CompressiveSensing, Denoise, Inpaint, SuperResolution
from lipdip.pictures import Problem, as_picture

SHAPE = (3, 32, 48)
CLEAN = torch.rand(SHAPE, generator=stream(0, "test"))


@pytest.mark.parametrize(
    "array",
    [
        CLEAN,
        CLEAN[None],
        CLEAN.double(),
        CLEAN.numpy(),
        CLEAN.numpy().astype(np.float64),
        CLEAN.numpy().astype(">f4"),
        CLEAN.flip(-1).numpy()[..., ::-1],
        CLEAN.tolist(),
    ],
    ids=["tensor", "batched", "double", "numpy", "float64", "big-endian", "reversed", "list"],
)
def test_a_picture_keeps_its_floats(array):
    picture = as_picture(array)
    assert picture.dtype == torch.float32 and torch.equal(picture, CLEAN[None])


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_whole_numbers_are_divided_by_the_largest_of_their_type(dtype, white):
    array = np.array([[0, 51], [white, white // 5]], dtype)
    for one in (array, torch.from_numpy(array)):
        assert as_picture(one).flatten().tolist() == pytest.approx([0, 51 / white, 1, 0.2])


def test_a_picture_has_its_own_memory_where_it_is_made_of_a_numpy_array():
    array = CLEAN.numpy().copy()
    array.setflags(write=False)  # torch warns of arrays that it shares and may not write
    assert torch.equal(as_picture(array)[0], CLEAN)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros((32, 48, 3)), ValueError, r"mine .*channels go first, as in \(3, 32, 48\)"),
        (np.zeros((1, 32, 48, 3)), ValueError, r"mine .*channels go first, as in \(3, 32, 48\)"),
        (np.zeros((2, 3, 8, 8)), ValueError, r"mine has shape \(2, 3, 8, 8\)"),
        (np.zeros(8), ValueError, r"mine has shape \(8,\)"),
        (np.zeros((0, 8)), ValueError, r"mine has shape \(0, 8\)"),
        (np.full((8, 8), np.nan), ValueError, "mine .*not finite"),
        (torch.full((8, 8), torch.inf), ValueError, "mine .*not finite"),
        (np.full((8, 8), 128.0), ValueError, "mine holds values from 128 to 128"),
        (np.zeros((8, 8), np.int64), TypeError, "mine holds int64"),
        (torch.zeros(8, 8, dtype=torch.bool), TypeError, "mine holds bool"),
        (np.zeros((8, 8), np.complex64), TypeError, "mine holds complex"),
        ("picture.png", TypeError, "mine holds <U11"),
        (None, TypeError, "mine holds object"),
    ],
)
def test_other_arrays_are_refused_by_name(array, error, message):
    with pytest.raises(error, match=message) as caught:
        as_picture(array, "mine")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "physics",
    [
        Denoise(SHAPE),
        Inpaint(SHAPE, stream(0, "mask"), sigma=5.0),
        SuperResolution(SHAPE, factor=4),
        CompressiveSensing(SHAPE, stream(0, "matrix"), measurements=20, outliers=0.1),
    ],
    ids=["denoise", "inpaint", "super_resolution", "compressive_sensing"],
)
def test_a_problem_is_the_same_measured_or_given(physics):
    measured = Problem.measured(CLEAN.numpy(), physics, stream(3, "noise"), "mine")
    assert torch.equal(measured.y, physics.measure(CLEAN[None], stream(3, "noise")))
    assert measured.name == "mine" and torch.equal(measured.x, CLEAN[None])
    for y in (measured.y, measured.y[0].numpy(), *([measured.y.squeeze()] if measured.y.shape[1] == 1 else [])):
        given = Problem(y, physics, CLEAN)
        assert torch.equal(given.y, measured.y) and torch.equal(given.x, measured.x) and given.name == "picture"
    assert torch.equal(measured.without_noise().y, physics.A(CLEAN[None]))


def test_a_seed_draws_the_noise():
    one, again, other = (Problem.measured(CLEAN, Denoise(SHAPE), seed) for seed in (0, 0, 1))
    assert torch.equal(one.y, again.y) and not torch.equal(one.y, other.y)
    assert torch.equal(one.y, Problem.measured(CLEAN, Denoise(SHAPE), stream(0, "degradation")).y)


def test_what_was_not_measured_is_blanked():
    physics = Inpaint(SHAPE, stream(0, "mask"))
    assert torch.equal(Problem(CLEAN, physics).y, physics.pixel_mask * CLEAN[None])


@pytest.mark.parametrize(
    ("y", "x", "error", "message"),
    [
        (CLEAN[:, :-1], None, ValueError, r"^y has shape \(3, 31, 48\); the physics takes \(1, 3, 32, 48\)$"),
        (CLEAN[0], None, ValueError, r"^y has shape \(32, 48\)"),
        (CLEAN, CLEAN[:1], ValueError, r"^x has shape \(1, 1, 32, 48\); the physics takes \(1, 3, 32, 48\)$"),
        (CLEAN * torch.nan, None, ValueError, "^y .*not finite"),
        (CLEAN, CLEAN * torch.nan, ValueError, "^x .*not finite"),
        ((255 * CLEAN).int(), None, TypeError, "^y holds int32"),
    ],
)
def test_problems_that_cannot_be(y, x, error, message):
    with pytest.raises(error, match=message):
        Problem(y, Denoise(SHAPE), x)


class _Elsewhere(torch.nn.Module):
    """A physics of another library, that states no shapes."""

    def A(self, x: torch.Tensor) -> torch.Tensor:  # noqa: N802
        return torch.fft.fft2(x)


def test_a_physics_without_shapes_takes_any_measurement():
    y = torch.fft.fft2(CLEAN[None].double())
    problem = Problem(y, _Elsewhere(), CLEAN)
    assert problem.y.dtype == torch.complex64 and problem.y.shape == y.shape
    assert torch.equal(problem.without_noise().y, torch.fft.fft2(CLEAN[None]))


def test_a_problem_can_be_moved_and_compares_by_identity():
    problem = Problem.measured(CLEAN, Denoise(SHAPE), name="mine")
    moved = problem.to("cpu")
    assert moved.name == "mine" and torch.equal(moved.y, problem.y) and moved != problem
