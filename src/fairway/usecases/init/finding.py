"""What a look at a repository found, and which of it goes into the configuration."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["python", "node", "procfile", "static", "library", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """How the project seems to be built and started.

    Attributes:
        kind: what it was recognised by; `unknown`: the configuration has blanks for a person to fill in.
        summary: what was recognised, in a few words: "Flask application app:app, served by gunicorn".
        steps: argument lines that build it in a clean checkout.
        command: argument line that starts it; empty for `unknown`.
        ready: path of the readiness check that the source shows; None if it shows none.
        ready_seen: the file that shows it.
        live: path of the liveness check that the source shows.
        migrate: argument lines that change the database before a release runs.
        notes: what a person should know or decide, a sentence each; they become comments.
    """

    kind: Kind
    summary: str
    steps: tuple[str, ...] = ()
    command: str = ""
    ready: str | None = None
    ready_seen: str = ""
    live: str | None = None
    migrate: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Library(Finding):
    """A package that is released and not started: `steps` build it.

    Attributes:
        outputs: pattern of the files that the build makes.
        tests: argument lines that test it in a clean checkout, beside the outputs; empty if no test was seen.
        registry: kind of the registry that such packages go to.
    """

    outputs: str = ""
    tests: tuple[str, ...] = ()
    registry: Literal["pypi", "npm"] = "pypi"
