"""Magnitude: the larger a weight is after training, the more it matters."""

from collections.abc import Mapping

from torch import Tensor


class Magnitude:
    """Score ``|w|``, compared over all layers together.

    Source: Frankle & Carbin, "The Lottery Ticket Hypothesis", ICLR 2019; the paper's Algorithm 1.
    """

    def __call__(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape; the weights are left as they are."""
        return {name: weight.detach().abs() for name, weight in weights.items()}
