"""Conditions in CEL, the Common Expression Language, by the library common-expression-language.

What is done about it here:
- Whole numbers are read as decimal ones: all metrics are, and CEL would refuse `stable.p99 * 2` for its types.
- `has()` is refused, because it makes an answer out of missing data; so is a division by a metric, because where
  stable has nothing (0 errors) it would be infinite, and every candidate infinitely worse.
- The package of the library brings a command line, whose import takes half a second: only its compiled module is
  loaded.
"""

import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from fairway.domain.analysis.metrics.names import metrics_in, without_texts
from fairway.domain.errors import InvariantError, UserError
from fairway.ports.metrics import Verdict

LONGEST = 1000
"""Characters of a condition."""

_TOKEN = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*')" + r"|(?P<number>(?<![\w.])[0-9]+(?![\w.]))")
_DIVISION = re.compile(r"/(?!\s*(?=[0-9.]*[1-9])[0-9.]+(?![\w.]))")


class CelConditions:
    """The language; see the port."""

    def compile(self, text: str) -> "CelCondition":
        """Reads a condition; see the port."""
        if len(text) > LONGEST:
            raise UserError("condition", f"a condition of {len(text)} characters is too long", f"write {LONGEST}")
        bare = without_texts(text)
        if re.search(r"(?<![\w.])has\s*\(", bare):
            hint = "where a metric has no data the rule has no answer"
            raise UserError("condition", f"has() would make an answer out of missing data in {text[:80]!r}", hint)
        if "%" in bare:
            hint = "write a percentage as a fraction: 0.01 for 1 %"
            raise UserError("condition", f"{text[:80]!r} holds a percent sign, which means nothing here", hint)
        if _DIVISION.search(bare):
            hint = "write it as a multiplication: candidate.x > stable.x * 2"
            raise UserError("condition", f"a division by a metric has no answer where it is 0: {text[:80]!r}", hint)
        try:
            program = _library().compile(_TOKEN.sub(_decimal, text))
        except ValueError as problem:
            raise UserError("condition", f"{text[:80]!r} is not a condition: {_said(problem)}", _HINT) from problem
        return CelCondition(program, metrics_in(text))


_HINT = "conditions are written in CEL, such as candidate.error_ratio > 0.01"


class CelCondition:
    """A condition that was read.

    Args:
        program: the library's.
        uses: the metrics in it.
    """

    def __init__(self, program: Any, uses: tuple[str, ...]) -> None:
        self._program = program
        self._uses = uses

    def ask(self, values: Mapping[str, Any]) -> tuple[Verdict, str]:
        """What it says of these numbers; see the port."""
        try:
            answer = self._program.execute({"candidate": {}, "stable": {}} | dict(values))
        except KeyError as problem:
            return "no-data", f"there is no data for {problem.args[0] if problem.args else 'one of them'}"
        except RuntimeError as problem:
            missing = [name for name in self._uses if "." not in name and name not in values]
            return ("no-data", f"there is no data for {missing[0]}") if missing else ("error", _said(problem))
        except Exception as problem:  # noqa: BLE001 -- whatever a condition makes of numbers, the run goes on without it
            return "error", _said(problem)
        if not isinstance(answer, bool):
            return "error", f"it gives {answer!r:.40}, neither true nor false"
        return ("true" if answer else "false"), ""


def _decimal(found: "re.Match[str]") -> str:
    return f"{found[0]}.0" if found["number"] else found[0]


def _said(problem: Exception) -> str:
    """The first sentence of what the library says, without its pictures."""
    words = str(problem).strip("'").splitlines()[0] if str(problem) else type(problem).__name__
    words = re.sub(r"^Failed to parse expression .*?: ERROR: <input>:\d+:(\d+): Syntax error: ", r"at \1: ", words)
    return words.split(" expecting ")[0].split(". ")[0][:160]


@cache
def _library() -> ModuleType:
    package = importlib.util.find_spec("cel")
    places = package.submodule_search_locations if package is not None else None
    files = [path for place in places or () for path in Path(place).glob("cel.*.so")]
    spec = importlib.util.spec_from_file_location("cel.cel", files[0]) if files else None
    if spec is None or spec.loader is None:
        raise InvariantError("no-cel", "the library common-expression-language has no compiled module here")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
