"""The promotion margins: nowhere below the margins of harm, or a candidate could be promoted and taken back at once."""

from functools import cache

from fairway.domain.analysis.margin import Margin
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.within import POINTS, RATIO

ABANDONED_RATIO, ABANDONED_POINTS = 2.0, 0.01
"""Twice stable's share of requests given up, plus a percentage point."""


_margin = cache(Margin)
"""Margins are asked for at each reading, and there are few."""


def promotion_margin(policy: AnalysisPolicy) -> Margin:
    """How much worse a candidate's errors may be that is promoted early."""
    return _margin(max(RATIO, policy.ratio_margin), max(POINTS, policy.absolute_margin))


def abandonment_promotion_margin(policy: AnalysisPolicy) -> Margin:
    """How much more often clients may leave a candidate that is promoted early."""
    ratio = max(ABANDONED_RATIO, policy.abandoned_ratio, policy.ratio_margin)
    return _margin(ratio, max(ABANDONED_POINTS, policy.abandoned_points, policy.absolute_margin))
