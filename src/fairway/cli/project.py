"""init, check and doctor."""

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, print_json, say


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
            names = ("file", "line", "column", "message", "hint")
            print_json({"ok": False, "problems": [{n: getattr(p, n) for n in names} for p in error.problems]})
        else:
            say(render(error.problems))
        return Exit.WRONG_INPUT
    if options.json:
        print_json({"ok": True, "problems": []})
    else:
        say(f"{path}: {spec.service} in {', '.join(e.name for e in spec.environments)}: no mistakes")
    return Exit.YES
