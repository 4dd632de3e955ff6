"""How many weights each round keeps."""

import math

from lipdip.core.check import FEATURES, number


def ladder_to(total: int, rate: float, last: int) -> list[int]:
    """:func:`ladder`, ended where it would pass ``last`` weights, with exactly that many in the last round.

    Raises:
        ValueError: if ``rate`` is not in (0, 1).
    """
    kept = ladder(total, rate, 0)
    while (following := kept[-1] - math.floor(rate * kept[-1] + 0.5)) > last and following < kept[-1]:
        kept.append(following)
    return [*kept, last]


def target(total: int, sparsity: float) -> int:
    """How many of ``total`` weights are kept at ``sparsity``: ``sparsity * total`` are pruned, rounded to the nearest.

    Raises:
        ValueError: if ``sparsity`` is not in (0, 1), or nothing would be pruned or left.
    """
    number("sparsity", sparsity, above=0, below=1)
    kept = total - math.floor(sparsity * total + 0.5)
    if not 0 < kept < total:
        raise ValueError(f"sparsity={sparsity} keeps {kept} of {total} weights: nothing is pruned, or nothing is left")
    return kept


def ladder(total: int, rate: float, rounds: int) -> list[int]:
    """Weights kept in rounds 0, 1, ..., ``rounds``: round 0 is dense, each later one prunes ``rate`` of what remains.

    Rounding rule: of ``n`` remaining weights, ``rate * n`` are pruned, rounded to the nearest whole number
    (a half is pruned). With rate 0.2 the density of round k is 0.8^k to within ``2.5 / total``.

    Raises:
        ValueError: if ``rate`` is not in (0, 1), ``rounds`` is negative, or a round would prune nothing or everything.
    """
    number("rate", rate, above=0, below=1)
    number("rounds", rounds, low=0, most=FEATURES, whole=True)
    kept = [total]
    for step in range(1, rounds + 1):
        kept.append(kept[-1] - math.floor(rate * kept[-1] + 0.5))
        if kept[-1] < 1 or kept[-1] == kept[-2]:
            what = "no weight would be left" if kept[-1] < 1 else f"nothing would be pruned of {kept[-1]} weights"
            raise ValueError(f"rounds={rounds} is too many: {what} in round {step} at rate={rate}")
    return kept
