"""Where the middle of paired differences lies, with an interval, whatever their distribution.

The Hodges-Lehmann estimate with the interval that Wilcoxon's signed-rank test inverts to (Hollander, Wolfe, Chicken,
Nonparametric Statistical Methods, 3rd ed., 2014, sections 3.1 to 3.3), exact by counting. It asks that pairs are
independent and differences symmetric about their middle; one wild round in ten moves it little.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from statistics import median


@dataclass(frozen=True, slots=True)
class Middle:
    """The middle of differences.

    Attributes:
        estimate: the median of the means of all pairs of differences.
        lower: the true one lies below with at most the probability asked for; minus infinity: too few to say.
        upper: likewise above.
    """

    estimate: float
    lower: float
    upper: float


def find_middle(differences: Sequence[float], risk: float) -> Middle | None:
    """The middle of the differences; None without any.

    Args:
        differences: one a pair.
        risk: probability that each end is wrong, above 0 and below 0.5.
    """
    if not differences:
        return None
    means = sorted((one + other) / 2 for one, other in combinations_with_replacement(differences, 2))
    cut = _largest_unlikely(len(differences), risk)
    if cut is None:
        return Middle(median(means), -math.inf, math.inf)
    return Middle(median(means), means[cut], means[-1 - cut])


def fewest(risk: float) -> int:
    """How many differences an interval of that risk needs."""
    return math.ceil(-math.log2(risk) - 1e-9)


@cache
def _largest_unlikely(count: int, risk: float) -> int | None:
    """The largest sum of positive ranks that chance does not exceed with more than the risk; None if there is none."""
    ways = [1]
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        for total, number in enumerate(ways):
            longer[total + rank] += number
        ways = longer
    allowed = risk * 2.0**count
    seen = 0
    for total, number in enumerate(ways):
        seen += number
        if seen > allowed:
            return total - 1 if total else None
    return None
