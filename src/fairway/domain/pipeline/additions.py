"""What the commits of a release added, and may have taken away again: a secret among that stays in what is pushed.

It lies beside the checkout, in a folder for each commit, so that a scanner that knows nothing of git looks at it too
and names commit and file by the path that it reports.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fairway.domain.pipeline.findings import Finding

#: Where it lies, seen from the checkout.
PLACE = "../history"
_PLACED = re.compile(rf"(?:\./)?{re.escape(PLACE)}/([0-9a-f]{{40,64}})/(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Additions:
    """Which additions are looked at.

    Attributes:
        since: full object name of the last release's commit; what that holds is left out. Empty: nothing is.
        paths: files and folders that count; empty: all.
    """

    since: str = ""
    paths: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What people read."""
        return f"what was added since {self.since[:12]}" if self.since else "what was ever added"

    def has(self, path: str) -> bool:
        """The file counts."""
        folders = [one.removeprefix("./").rstrip("/") for one in self.paths]
        return not folders or any(one in ("", ".", path) or path.startswith(f"{one}/") for one in folders)


def name_commits(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, with the commit of those that were made beside the checkout and without a line, which is none."""
    return tuple(_named(one) for one in findings)


def _named(finding: Finding) -> Finding:
    match = _PLACED.fullmatch(finding.path)
    if match is None:
        return finding
    message = finding.message.replace(finding.path, match[2])
    return replace(finding, path=match[2], line=0, commit=match[1], message=message)
