"""up, down and serve: what runs on this machine."""

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json, say


def up(*, env: str | None = None, options: Options = DEFAULTS) -> int:
    """Bring back everything that should run: after a reboot, or after `fairway down`.

    Args:
        env: one environment; default: all.
    """
    from fairway import bootstrap

    project = bootstrap.open_project(options.config)
    back = bootstrap.bring_up(project, env)
    if options.json:
        print_json({"environments": back})
    else:
        for entry in back:
            say(f"{entry['environment']}: {entry['ready']} of {entry['wanted']} instances ready at {entry['address']}")
            for sentence in entry["waiting"]:
                say(f"  {sentence}")
        if not back:
            say("nothing was ever deployed here")
    return Exit.YES if all(entry["ready"] >= entry["wanted"] for entry in back) else Exit.UNKNOWN


def down(*, env: str | None = None, options: Options = DEFAULTS) -> int:
    """Stop instances, proxies and the controller. `fairway up` brings them back.

    Args:
        env: one environment; default: everything.
    """
    from fairway import bootstrap

    stopped = bootstrap.bring_down(bootstrap.open_known(options.config), env)
    if options.json:
        print_json({"stopped": stopped})
    else:
        say(f"stopped {len(stopped)} process{'es' if len(stopped) != 1 else ''}")
    return Exit.YES


def serve(*, options: Options = DEFAULTS) -> int:
    """Run the controller in the foreground, until it is told to stop. Other commands start one when they need it."""
    from fairway import bootstrap

    bootstrap.serve(options.config, note)
    return Exit.YES
