"""How many weights each round keeps."""

import math


def ladder(total: int, rate: float, rounds: int) -> list[int]:
    """Weights kept in rounds 0, 1, ..., ``rounds``: round 0 is dense, each later one prunes ``rate`` of what remains.

    Rounding rule: of ``n`` remaining weights, ``rate * n`` are pruned, rounded to the nearest whole number
    (a half is pruned). With rate 0.2 the density of round k is 0.8^k to within ``2.5 / total``.

    Raises:
        ValueError: if ``rate`` is not in (0, 1), ``rounds`` is negative, or a round would prune nothing or everything.
    """
    if not isinstance(rate, int | float) or not 0 < rate < 1:
        raise ValueError(f"rate must lie between 0 and 1, both excluded, not {rate!r}")
    if not isinstance(rounds, int) or rounds < 0:
        raise ValueError(f"rounds must be a whole number of at least 0, not {rounds!r}")
    kept = [total]
    for number in range(1, rounds + 1):
        kept.append(kept[-1] - math.floor(rate * kept[-1] + 0.5))
        if kept[-1] < 1 or kept[-1] == kept[-2]:
            what = "no weight would be left" if kept[-1] < 1 else f"nothing would be pruned of {kept[-1]} weights"
            raise ValueError(f"rounds={rounds} is too many: {what} in round {number} at rate={rate}")
    return kept
