"""The cut is exact, the ladder is the paper's, the winner is computed."""

import pytest
import torch

from lipdip.networks import Hourglass
from lipdip.pruning.context import Context
from lipdip.pruning.cut import cut
from lipdip.pruning.schedule import ladder
from lipdip.pruning.top_k import keep_top_k
from lipdip.runs.matching import judged, most_sparse_matching
from lipdip.runs.rows import Round
from lipdip.tasks.restoration.restored import Restored
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import prunable


def test_the_ladder_of_the_paper():
    kept = ladder(2_208_768, 0.2, 25)
    assert kept[0] == 2_208_768
    for number, count in enumerate(kept):
        assert abs(count - 2_208_768 * 0.8**number) <= 2.5
    assert [round(100 * (1 - count / kept[0]), 1) for count in kept[1:17]] == [
        *(20, 36, 48.8, 59, 67.2, 73.8, 79, 83.2, 86.6, 89.3, 91.4, 93.1, 94.5, 95.6, 96.5, 97.2),
    ]


def test_the_ladders_rounding_rule():
    assert ladder(12, 0.2, 2) == [12, 10, 8]  # 2.4 and 2.0 pruned
    assert ladder(10, 0.25, 1) == [10, 7]  # 2.5: a half is pruned


@pytest.mark.parametrize(
    ("rate", "rounds", "message"),
    [
        (0, 3, "rate must lie between 0 and 1"),
        (1, 3, "rate must lie between 0 and 1"),
        ("a", 3, "rate must lie between 0 and 1"),
        (0.2, -1, "rounds must be a whole number"),
        (0.2, 30, "nothing would be pruned of 2 weights in round 18"),
        (0.9, 3, "rounds=3 is too many: no weight would be left in round 3"),
    ],
)
def test_ladders_that_cannot_be(rate, rounds, message):
    with pytest.raises(ValueError, match=message):
        ladder(100, rate, rounds)


def _scores(seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {"a": torch.rand(4, 3, generator=draw), "b": torch.rand(20, generator=draw)}


def test_top_k_keeps_exactly_the_k_best_inside_the_old_mask():
    scores = _scores()
    mask = keep_top_k(scores, Mask.dense(scores), 20)
    smaller = keep_top_k(scores, mask, 7)
    assert (mask.kept, smaller.kept) == (20, 7)
    assert smaller.inside(mask)
    flat = torch.cat([score.flatten() for score in scores.values()])
    chosen = torch.cat([layer.flatten() for layer in smaller.values()])
    assert torch.equal(chosen, flat >= flat.sort(descending=True).values[6])


def test_top_k_is_exact_under_ties_and_prefers_the_earlier():
    scores = {"a": torch.zeros(5), "b": torch.zeros(5)}
    mask = keep_top_k(scores, Mask.dense(scores), 6)
    assert mask["a"].tolist() == [True] * 5 and mask["b"].tolist() == [True] + [False] * 4


def test_top_k_never_brings_a_weight_back():
    scores = {"a": torch.tensor([9.0, 1.0, 2.0])}
    mask = Mask({"a": torch.tensor([False, True, True])})
    assert keep_top_k(scores, mask, 1)["a"].tolist() == [False, False, True]
    with pytest.raises(ValueError, match="cannot keep 3 of 2"):
        keep_top_k(scores, mask, 3)


def test_top_k_refuses_scores_that_are_not_numbers():
    scores = {"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")])}
    with pytest.raises(ValueError, match="scores of b are not finite"):
        keep_top_k(scores, Mask.dense(scores), 1)


def test_prunable_is_every_conv_weight_and_nothing_else():
    network = Hourglass(channels=4, scales=2)
    expected = {name for name, parameter in network.named_parameters() if parameter.dim() == 4}
    assert set(prunable(network)) == expected


def _round(number: int, psnr: float | None) -> Round:
    scores = dict.fromkeys(("psnr_best_step", "psnr_last", "psnr_ema", "psnr_stop", "psnr_stop_gap", "stop_step"))
    sparsity, rest = 1 - 0.8**number, {"weights_per_pixel": 1.0, "ssim_best": None, "loss": 0.1, "seconds": 0.0}
    return Restored(round=number, sparsity=sparsity, kept_weights=1, psnr_best=psnr, **scores, **rest)


def test_the_most_sparse_matching_ticket():
    dense = _round(0, 30.0)
    rows = [judged(_round(number, psnr), dense) for number, psnr in enumerate([30.0, 30.5, 29.9, 30.0, 29.0])]
    assert [row.matching for row in rows] == [True, True, False, True, False]
    assert most_sparse_matching(rows).round == 3
    assert most_sparse_matching(rows[:1]) is None


def test_without_a_clean_image_nothing_is_said_to_match():
    rows = [judged(_round(number, None), _round(0, None)) for number in range(3)]
    assert [row.matching for row in rows] == [None] * 3
    assert most_sparse_matching(rows) is None


@pytest.mark.parametrize(
    ("scores", "what"),
    [
        ([1.0], "not a list"),
        (None, "not a NoneType"),
        ({}, "none for a"),
        ({"a": [1.0, 2.0]}, "it gave a list"),
        ({"a": torch.ones(3)}, r"\(3,\) where \(2,\) is the shape"),
        ({"a": torch.ones(2, dtype=torch.complex64)}, "torch.complex64"),
    ],
)
def test_a_scorer_that_gives_something_else_is_named_with_what_was_expected(scores, what):
    def own_rule(context):
        return scores

    context = Context(torch.nn.Module(), Mask({"a": torch.ones(2, dtype=torch.bool)}), (), 1, 1)
    with pytest.raises(ValueError, match=f"^the scoring rule own_rule must give a mapping .*{what}"):
        cut(own_rule, context)
