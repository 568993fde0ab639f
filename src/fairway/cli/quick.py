"""Plain command lines of commands that scripts ask again and again.

The parser takes longer to load than such a command to answer. Whatever is not plain is left to it: help, mistakes,
other ways of writing.
"""

from collections.abc import Callable
from pathlib import Path

from fairway.cli.options import Options
from fairway.cli.rules import Rules

_BUMPS = ("major", "minor", "patch", "hotfix")
_RULES = ("package", "branch", "revision", "tag", "initial")
#: What each command takes: options with a text of its own, and those with one of some words.
_TEXTS = {"next": ("pre", "channel", "release-as", "build"), "changelog": ("release-as",)}
_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "next": {"bump": _BUMPS},
    "changelog": {"pre-releases": ("fold", "keep")},
}
_FLAGS: dict[str, tuple[str, ...]] = {"next": (), "changelog": ("unreleased",)}


def find_call(arguments: list[str]) -> Callable[[], int] | None:
    """The command with its options, None if the parser has to look."""
    name, *rest = arguments or [""]
    # What is no text in UTF-8 is a mistake, which the parser tells.
    if name not in _TEXTS or any("\ud800" <= sign <= "\udfff" for sign in "".join(rest)):
        return None
    own: dict[str, str | bool] = {}
    rules: dict[str, str] = {}
    common: dict[str, object] = {}
    waiting = iter(rest)
    for one in waiting:
        option = one.removeprefix("--")
        if one == option:
            return None
        if option == "json":
            common["json"] = True
            continue
        if option in _FLAGS[name]:
            own[option] = True
            continue
        value = next(waiting, None)
        if value is None or value.startswith("-"):
            return None
        if option == "config":
            common["config"] = Path(value)
        elif option in _RULES:
            rules[option] = value
        elif option in _TEXTS[name] or value in _WORDS[name].get(option, ()):
            own[option.replace("-", "_")] = value
        else:
            return None
    return _bound(name, own, Rules(**rules), Options(**common))  # type: ignore[arg-type]


def _bound(name: str, own: dict[str, str | bool], rules: Rules, options: Options) -> Callable[[], int]:
    if name == "next":
        from fairway.cli.next import next_release

        return lambda: next_release(**own, rules=rules, options=options)  # type: ignore[arg-type]
    from fairway.cli.changelog import changelog

    return lambda: changelog(**own, rules=rules, options=options)  # type: ignore[arg-type]
