"""Versions of Python packages: https://packaging.python.org/en/latest/specifications/version-specifiers/.

Everything that the specification reads is read, and written in its normal form.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from fairway.domain.errors import UserError
from fairway.domain.versioning.semver import Counted

_PATTERN = re.compile(
    r"""v?
    (?:(?P<epoch>[0-9]+)!)?
    (?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)(?:[-_.]?(?P<pre_n>[0-9]+))?)?
    (?:-(?P<post_bare>[0-9]+)|[-_.]?(?P<post>post|rev|r)(?:[-_.]?(?P<post_n>[0-9]+))?)?
    (?:[-_.]?(?P<dev>dev)(?:[-_.]?(?P<dev_n>[0-9]+))?)?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
LETTERS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc", "a": "a", "b": "b", "rc": "rc"}
_FIRST, _LAST = (-1,), (1,)


@dataclass(frozen=True)
class Pep440:
    """A version of a Python package, in its normal form.

    Attributes:
        release: the numbers; trailing zeros are kept and have no say in the order.
        pre: letter (`a`, `b`, `rc`) and number.
        local: what follows the plus, in lower case and dotted.
    """

    release: tuple[int, ...]
    pre: tuple[str, int] | None = None
    post: int | None = None
    dev: int | None = None
    local: str = ""
    epoch: int = 0

    def __str__(self) -> str:
        return self.public + (f"+{self.local}" if self.local else "")

    def with_release(self, numbers: tuple[int, ...]) -> "Pep440":
        """The same version with other numbers."""
        return replace(self, release=numbers)

    @property
    def public(self) -> str:
        """Without the local part."""
        pre = f"{self.pre[0]}{self.pre[1]}" if self.pre else ""
        post = "" if self.post is None else f".post{self.post}"
        dev = "" if self.dev is None else f".dev{self.dev}"
        return f"{self.base}{pre}{post}{dev}"

    @property
    def base(self) -> str:
        """Epoch and numbers only."""
        return (f"{self.epoch}!" if self.epoch else "") + ".".join(map(str, self.release))

    @property
    def is_prerelease(self) -> bool:
        """A pre-release or a development release."""
        return self.pre is not None or self.dev is not None

    @cached_property
    def order(self) -> tuple[object, ...]:
        """Sorts as the specification says: dev, a, b, rc, the release, post; local versions after their public one."""
        numbers = list(self.release)
        while len(numbers) > 1 and not numbers[-1]:
            numbers.pop()
        bare_dev = self.pre is None and self.post is None and self.dev is not None
        pre = _FIRST if bare_dev else _LAST if self.pre is None else (0, *self.pre)
        local = tuple((1, int(one), "") if one.isdigit() else (0, 0, one) for one in self.local.split("."))
        return (
            self.epoch,
            tuple(numbers),
            pre,
            -1 if self.post is None else self.post,
            _LAST if self.dev is None else (0, self.dev),
            local if self.local else (),
        )

    @property
    def core(self) -> "Pep440":
        """The stable version that this one is, or leads to."""
        return Pep440(self.release, post=self.post if not self.is_prerelease else None, epoch=self.epoch)

    @property
    def counted(self) -> Counted | None:
        """Letter and number of the pre-release; of a bare development release `dev` and its number."""
        if self.pre:
            return Counted(*self.pre, dotted=False, dev=self.dev)
        return None if self.dev is None else Counted("dev", self.dev)

    def with_pre(self, counted: Counted | None) -> "Pep440":
        """The same release as this pre-release, or as the stable version; without a local part.

        Raises:
            UserError: the token is none that Python packages know.
        """
        if counted is None:
            return Pep440(self.release, epoch=self.epoch)
        if counted.token == "dev":  # noqa: S105 -- a word of the scheme
            return Pep440(self.release, dev=counted.number, epoch=self.epoch)
        letter = LETTERS.get(counted.token.lower())
        if letter is None:
            hint = "alpha, beta, rc or dev; others can only be written as semver"
            raise UserError("pre-token", f"PEP 440 knows no pre-release {counted.token[:40]!r}", hint)
        return Pep440(self.release, (letter, counted.number), dev=counted.dev, epoch=self.epoch)

    def with_build(self, build: str) -> "Pep440":
        """The same version with a local part.

        Raises:
            UserError: it is none.
        """
        return parse_pep440(f"{self.public}+{build}" if build else self.public)


def parse_pep440(text: str) -> Pep440:
    """The version.

    Raises:
        UserError: it is none.
    """
    # Case is ignored by rules that turn two letters outside ASCII into letters within it.
    bare = text.strip()
    match = _PATTERN.fullmatch(bare) if bare.isascii() else None
    if match is None:
        hint = "numbers, then a1, b1 or rc1, .post1, .dev1, +local, each if needed: 1.4.2rc1"
        raise UserError("not-a-version", f"{text[:80]!r} is not a version of PEP 440", hint)
    part = match.groupdict()
    post = part["post_bare"] or (part["post_n"] or "0" if part["post"] else None)
    return Pep440(
        release=tuple(map(int, part["release"].split("."))),
        pre=(LETTERS[part["pre"].lower()], int(part["pre_n"] or 0)) if part["pre"] else None,
        post=None if post is None else int(post),
        dev=int(part["dev_n"] or 0) if part["dev"] else None,
        local=".".join(
            str(int(one)) if one.isdigit() else one for one in re.split("[-_.]", (part["local"] or "").lower())
        ),
        epoch=int(part["epoch"] or 0),
    )
