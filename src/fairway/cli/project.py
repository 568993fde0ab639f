"""init, check and doctor."""

from dataclasses import asdict
from pathlib import Path

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, print_json, say

_MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


def init(folder: Path = Path(), /, *, force: bool = False, options: Options = DEFAULTS) -> int:
    """Look at a repository and write a fairway.yaml that fits it.

    Args:
        folder: the repository; default: here.
        force: replace a fairway.yaml that exists.
    """
    from fairway import bootstrap
    from fairway.adapters.machine import LocalFolder
    from fairway.usecases.init import inspect, write_configuration

    place = LocalFolder(folder)
    written = write_configuration(place, inspect(place), bootstrap.this_machine(), force=force)
    if options.json:
        print_json(asdict(written))
        return Exit.YES
    say(f"{written.path}: {written.service}, {written.finding.summary}")
    for note in written.finding.notes:
        say(f"  {note}")
    if written.ignored:
        say("  .gitignore: .fairway/ added")
    if not written.addresses:
        say("next: fairway check, commit, fairway release --dry-run")
        return Exit.YES
    blank = "" if written.finding.command else "fill in run.command, then "
    say(f"next: {blank}fairway check, commit, fairway deploy HEAD --env {written.addresses[0][0]}")
    return Exit.YES


def doctor(*, repair: bool = False, options: Options = DEFAULTS) -> int:
    """Check that deployments work on this machine.

    Args:
        repair: make a damaged journal anew from what can be read of it; the damaged file is kept.
    """
    from fairway import bootstrap
    from fairway.usecases.doctor import examine, worst

    if repair:
        return _repair(options)
    state, service = bootstrap.examined(options.config)
    damage = bootstrap.journal_damage(options.config, state)
    strays = bootstrap.list_strays(state)
    findings = examine(bootstrap.this_machine(), state=str(state), service=service, damage=damage, strays=strays)
    if options.json:
        print_json({"status": worst(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            say(f"{_MARKS[finding.status]} {finding.name}: {finding.sentence}")
            if finding.hint:
                say(f"    {finding.hint}")
    return Exit.NO if worst(findings) == "failed" else Exit.YES


def _repair(options: Options) -> int:
    """Repairs the journal, and says what was lost."""
    from fairway import bootstrap

    made = bootstrap.repair_journal(options.config)
    if options.json:
        print_json({"repaired": made is not None} | ({} if made is None else asdict(made)))
    elif made is None:
        say("the journal is sound; nothing was changed")
    else:
        say(f"the journal was made anew: {made.runs} runs, {made.events} events")
        for loss in made.losses:
            say(f"  {loss}")
        say(f"the damaged file is in {made.aside}")
    return Exit.YES


def check(*, options: Options = DEFAULTS) -> int:
    """Report every mistake in fairway.yaml at once, each with its line and column."""
    from fairway import bootstrap
    from fairway.bootstrap.project import find_config
    from fairway.config import ConfigError, render

    path = find_config(options.config)
    try:
        spec = bootstrap.load_spec(path)
    except ConfigError as error:
        if options.json:
            print_json({"ok": False, "problems": [asdict(problem) for problem in error.problems]})
        else:
            say(render(error.problems))
        return Exit.WRONG_INPUT
    if options.json:
        print_json({"ok": True, "problems": []})
    else:
        where = f" in {', '.join(e.name for e in spec.environments)}" if spec.environments else ""
        say(f"{path}: {spec.service}{where}: no mistakes")
    return Exit.YES
