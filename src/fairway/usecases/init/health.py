"""Health paths that the source itself names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# The most telling first: a path for readiness before one for health in general, that before one for life.
_READY = (
    *("/health/ready", "/healthz/ready", "/readyz", "/ready", "/-/ready", "/healthz", "/health", "/api/health"),
    *(
        "/api/healthz",
        "/health_check",
        "/health-check",
        "/healthcheck",
        "/_health",
        "/-/healthy",
        "/status/health",
        "/up",
    ),
)
_LIVE = ("/health/live", "/healthz/live", "/livez", "/live", "/-/live")

# Lines that ask somebody else rather than answer.
_ASKING = re.compile(r"fetch\(|axios|requests\.|httpx|urlopen|client\.|curl |https?://")
# Lines that answer something else than GET.
_CHANGING = re.compile(r"\.(post|put|patch|delete)\(|methods\s*=\s*[\[({](?![^\])}]*GET)", re.IGNORECASE)
# A path behind a prefix is not the whole path, and what the prefix is would take running the program.
_PREFIXED = re.compile(r"(url_prefix|prefix)\s*=\s*[\"']/|Blueprint\(|APIRouter\(|express\.Router\(|include\(")


@dataclass(frozen=True, slots=True)
class HealthPaths:
    """The paths, each None if the source shows none; `seen` is the file that shows `ready`."""

    ready: str | None = None
    live: str | None = None
    seen: str = ""


def find_health(sources: Mapping[str, str]) -> HealthPaths:
    """The health paths that stand as literals in the sources.

    Args:
        sources: text by path, the main file first.
    """
    lines = {path: _answering_lines(text) for path, text in sources.items() if not _PREFIXED.search(text)}
    ready = _first(_READY, lines)
    live = _first(_LIVE, lines)
    return HealthPaths(ready[0] if ready else None, live[0] if live else None, ready[1] if ready else "")


def _answering_lines(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not (_ASKING.search(line) or _CHANGING.search(line)))


def _first(candidates: tuple[str, ...], lines: Mapping[str, str]) -> tuple[str, str] | None:
    for candidate in candidates:
        for path, text in lines.items():
            # As written, with its last slash: without it some frameworks answer with a redirect.
            found = re.search(rf"[\"'`]({re.escape(candidate)}/?)[\"'`]", text)
            if found:
                return found[1], path
    return None
