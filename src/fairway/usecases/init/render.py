"""The text of a new fairway.yaml: commented, and loadable as it stands."""

import json
import re

from fairway.usecases.init.finding import Finding

_PLAIN = re.compile(r"(?:[A-Za-z/_]|\.[A-Za-z/])[A-Za-z0-9 ./_@+=:~^(){},$-]*")
_PLAIN_IN_FLOW = re.compile(r"(?:[A-Za-z/_]|\.[A-Za-z/])[A-Za-z0-9 ./_@+=:~^()$-]*")


def render_configuration(service: str, finding: Finding, *, staging: int, production: int) -> str:
    """The file's text.

    Args:
        service: a valid name.
        finding: what was recognised.
        staging: port of the users' address in staging.
        production: the same in production.
    """
    parts = [
        _head(service, finding),
        _build(finding),
        _run(finding),
        _environments(finding, staging, production),
    ]
    return "\n".join(parts)


def _head(service: str, finding: Finding) -> str:
    seen = f"Recognised: {one_line(finding.summary)}." if finding.kind != "unknown" else "Nothing here was recognised."
    return f"""# How Fairway builds, starts and releases this service. {seen}
# `fairway check` reports every mistake; every key is in the reference of the configuration.
service: {service}
"""


def _build(finding: Finding) -> str:
    if finding.kind == "unknown":
        lines = ["# Commands that build the service in a clean checkout, one after the other, without a shell."]
        lines += ["build:", "  steps: []  # such as [make release]"]
    elif not finding.steps:
        lines = ["# Nothing needs to be built: the files run as they are.", "build:", "  steps: []"]
    else:
        lines = [
            "# Run one after the other in a clean checkout, without a shell; the result is sealed.",
            "build:",
            "  steps:",
        ]
        lines += [f"    - {scalar(step)}" for step in finding.steps]
    return "\n".join(lines) + "\n"


def _run(finding: Finding) -> str:
    lines = [
        "# One instance. {port} and {host} are replaced; the variables PORT and HOST hold them too. No shell runs."
    ]
    lines += [f"# {one_line(note)}" for note in finding.notes]
    lines.append("run:")
    if finding.kind == "unknown":
        lines.append("  # FILL IN: what starts the service in the foreground, listening on {host}:{port}, such as")
        lines.append("  # ./bin/server --listen {host}:{port}")
        lines.append('  command: ""')
    else:
        lines.append(f"  command: {scalar(finding.command)}")
    lines += _health(finding)
    lines.append("  # Time for requests under way to finish before an instance is stopped.")
    lines.append("  drain: 10s")
    return "\n".join(lines) + "\n"


def _health(finding: Finding) -> list[str]:
    if finding.ready is None and finding.live is None:
        return [
            "  # No health check was seen in the source, so that any answer to GET / counts as ready.",
            "  # Better: health: {ready: /health/ready}",
        ]
    paths = [f"ready: {scalar(finding.ready)}"] if finding.ready else []
    paths += [f"live: {scalar(finding.live)}"] if finding.live else []
    seen = f" Seen in {one_line(finding.ready_seen)}." if finding.ready_seen else ""
    return [f"  # A 2xx answer means ready for requests.{seen}", f"  health: {{{', '.join(paths)}}}"]


def _environments(finding: Finding, staging: int, production: int) -> str:
    return f"""environments:
  staging:
    target: local
    # Where users connect.
    router: {{kind: envoy, listen: 127.0.0.1:{staging}}}
    instances: 1
    # Instance after instance.
    strategy: rolling
{_migrate(finding)}  production:
    # Only what is live in staging may come here.
    after: staging
    target: local
    router: {{kind: envoy, listen: 127.0.0.1:{production}}}
    instances: 2
    # A tenth of the requests, then half, then all, each watched for the time of bake.
    strategy: {{kind: canary, steps: [10, 50, 100], bake: 5m}}
    # How much worse than the old version is too much: strict, balanced or tolerant.
    analysis: balanced
    # How long the old version stays ready to take over again.
    observe: 30m
{_migrate(finding)}"""


def _migrate(finding: Finding) -> str:
    if not finding.migrate:
        return ""
    steps = ", ".join(scalar(step, flow=True) for step in finding.migrate)
    return f"""    stages:
      # Changes the database before the new version runs; the old one must be able to go on with it.
      migrate: {{run: [{steps}]}}
"""


def one_line(text: str) -> str:
    """The text as it can stand in a comment, whatever a file's name may hold."""
    return "".join(character if character.isprintable() else "?" for character in text)


def scalar(text: str, *, flow: bool = False) -> str:
    """The text as a YAML scalar, in quotes where it needs them.

    Args:
        text: what the scalar holds.
        flow: it stands between brackets, where commas and braces count too.
    """
    plain = (_PLAIN_IN_FLOW if flow else _PLAIN).fullmatch(text)
    ambiguous = ": " in text or text[-1:] in (":", " ") or text.lower() in ("true", "false", "null")
    return text if plain and not ambiguous else json.dumps(text, ensure_ascii=False)
