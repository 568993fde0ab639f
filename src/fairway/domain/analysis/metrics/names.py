"""The names in conditions and queries: what a condition looks at, and what a query leaves open."""

import re

from fairway.domain.analysis.metrics.policy import PLACEHOLDERS

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*'")
_NAME = re.compile(r"(?<![\w.])(?:(candidate|stable)\s*\.\s*)?([A-Za-z_]\w*)(?!\w)(?!\s*\()(?!\s*\.)")
_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")
_RANGE = re.compile(r"\[\s*((?:[0-9]+(?:ms|[smhdwy]))+)")
_PART = re.compile(r"([0-9]+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}

WORDS = frozenset({"true", "false", "null", "in", "candidate", "stable"})
"""Words of a condition that name no metric."""


def without_texts(condition: str) -> str:
    """The condition with every text in quotes emptied."""
    return _TEXT.sub('""', condition)


def metrics_in(condition: str) -> tuple[str, ...]:
    """The metrics that a condition looks at, as `candidate.p99` or `connections`, ordered."""
    found = {f"{role}.{name}" if role else name for role, name in _NAME.findall(without_texts(condition))}
    return tuple(sorted(found - WORDS))


def unknown_placeholders(query: str) -> tuple[str, ...]:
    """Placeholders that nothing would replace."""
    return tuple(mark for mark in _PLACEHOLDER.findall(query) if mark not in PLACEHOLDERS)


def longest_range(query: str) -> float:
    """Seconds of the longest range in a query of PromQL, such as 300 for `[5m]`; 0 where there is none."""
    spans = [sum(int(n) * _SECONDS[unit] for n, unit in _PART.findall(one)) for one in _RANGE.findall(query)]
    return max(spans, default=0.0)
