"""Spreading out a matrix: one task a combination of values."""

import re
import shlex
from collections.abc import Iterator
from itertools import product

from fairway.domain.pipeline.spec import TaskSpec

Values = tuple[tuple[str, str], ...]

#: Characters of a value in the name of a task, which is that of a folder too.
_LONGEST = 60
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
    return "-".join(re.sub(r"[^a-z0-9.]+", "-", word.lower()).strip("-")[:_LONGEST] or "x" for word in words)


def fill(text: str, values: dict[str, str]) -> str:
    """The text with `{name}` replaced for the names that have a value; other braces stay."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def fill_line(line: str, values: dict[str, str]) -> str:
    """The same with an argument line: each value stays within the word that it stands in, whatever it holds."""
    named = {values[found[1]] for found in _PLACEHOLDER.finditer(line) if found[1] in values}
    if all(shlex.quote(value) == value for value in named):
        return fill(line, values)
    return shlex.join(fill(word, values) for word in shlex.split(line))
