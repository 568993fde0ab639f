"""Spreading out a matrix: one task a combination of values."""

import re
from collections.abc import Iterator
from itertools import product

from fairway.domain.pipeline.spec import TaskSpec

Values = tuple[tuple[str, str], ...]

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def combinations(spec: TaskSpec) -> Iterator[Values]:
    """The combinations of the matrix that are not excluded, the last variable changing fastest; one empty one without.

    Each is sorted by name.
    """
    names = [name for name, _ in spec.matrix]
    for chosen in product(*(values for _, values in spec.matrix)):
        values = dict(zip(names, chosen, strict=True))
        if not any(all(values.get(name) == value for name, value in left_out) for left_out in spec.exclude):
            yield tuple(sorted(values.items()))


def task_id(spec: TaskSpec, values: Values) -> str:
    """The name of the task with the values of its combination, in the order in which the matrix names them."""
    chosen = dict(values)
    words = [spec.name, *(chosen[name] for name, _ in spec.matrix)]
    return "-".join(re.sub(r"[^a-z0-9.]+", "-", word.lower()).strip("-") or "x" for word in words)


def fill(text: str, values: dict[str, str]) -> str:
    """The text with `{name}` replaced for the names that have a value; other braces stay."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
