"""Options that every command has."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

AtLeastOne = Annotated[int, Parameter(validator=Number(gte=1))]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Options:
    """What every command understands."""

    json: Annotated[bool, Parameter(negative="", help="Print one JSON object on stdout.")] = False
    config: Annotated[
        Path | None, Parameter(name=["--config", "-c"], help="The fairway.yaml; default: the nearest one above here.")
    ] = None


DEFAULTS = Options()
