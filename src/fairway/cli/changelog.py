"""changelog."""

import gc
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, print_json
from fairway.cli.rules import DEFAULT_RULES, Rules, open_by
from fairway.domain.versioning.changelog import Release
from fairway.domain.versioning.markdown import render_changelog, render_notes
from fairway.usecases.versioning.changelog import notes_of, read_changelog, unreleased_as


def changelog(
    release: str | None = None,
    /,
    *,
    unreleased: bool = False,
    release_as: str = "",
    template: Path | None = None,
    pre_releases: Literal["fold", "keep"] | None = None,
    output: Path | None = None,
    rules: Rules = DEFAULT_RULES,
    options: Options = DEFAULTS,
) -> int:
    """Write the changelog of all releases, or the notes of one.

    Args:
        release: a version or tag; only its notes.
        unreleased: only what is not released yet.
        release_as: the version that what is not released yet will have.
        template: a Jinja template in place of the built-in form or the configured one.
        pre_releases: `fold`: what a pre-release brought stands under its final release; `keep`: under itself.
        output: the file to write to, which is replaced; default: stdout.
    """
    # Thousands of commits stay until the end: looking for garbage among them costs a seventh of the time.
    gc.disable()
    project = open_by(rules, options)
    fold = (pre_releases or project.spec.pre_releases) == "fold"
    log = read_changelog(project.history, project.spec.policy, fold=fold)
    releases = unreleased_as(log, release_as, project.spec.policy, project.today)
    one = next(iter(releases)) if unreleased else notes_of(releases, release) if release is not None else None
    chosen = [one] if one is not None else releases
    if options.json:
        described = [_describe(each) for each in chosen]
        print_json(described[0] if one is not None else {"releases": described, "head": log.place.head})
        return Exit.YES
    path = template or (Path(project.spec.template) if project.spec.template else None)
    if path is not None:
        from fairway.bootstrap.versioning import render_by_template

        pieces: Iterable[str] = [render_by_template(path, list(chosen), project.repository(), single=one is not None)]
    elif one is not None:
        pieces = render_notes(one, project.repository())
    else:
        pieces = render_changelog(chosen, project.repository())
    _write(pieces, output)
    return Exit.YES


def _write(pieces: Iterable[str], output: Path | None) -> None:
    if output is None:
        sys.stdout.write("".join(pieces))
        return
    draft = output.with_name(f".{output.name}.draft")
    draft.write_text("".join(pieces), encoding="utf-8")
    draft.replace(output)


def _describe(release: Release) -> dict[str, Any]:
    described = release._asdict()
    described["sections"] = [
        {"title": section.title, "entries": [entry.described() for entry in section.entries]}
        for section in release.sections
    ]
    described["breaking"] = [entry.described() for entry in release.breaking]
    described["commits"] = [one.id for one in release.commits]
    return {
        **described,
        "requests": release.requests,
        "issues": release.issues,
        "authors": release.authors,
    }
