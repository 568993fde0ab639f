"""The text of a new fairway.yaml for a library: commented, and loadable as it stands."""

from fairway.usecases.init.finding import Library
from fairway.usecases.init.render import one_line, scalar

# What each registry calls the name of the variable that holds the token.
_SETTINGS = {"pypi": "password_variable", "npm": "token_variable"}


def render_library(service: str, library: Library) -> str:
    """The file's text.

    Args:
        service: a valid name.
        library: what was recognised.
    """
    parts = [_head(service, library), *_task("build", "package", library.steps, library.outputs)]
    if library.tests:
        parts += ["  # In a clean checkout, with what was built; nothing is tagged or published unless this passes."]
        parts += _task("test", "unit", library.tests)
    else:
        parts += ["  # No test was seen. One that must pass before anything is tagged or published:"]
        parts += ["  # test: {unit: {run: ./run-tests}}"]
    return "\n".join([*parts, *_publish(library)]) + "\n"


def _head(service: str, library: Library) -> str:
    notes = "".join(f"# {one_line(note)}\n" for note in library.notes)
    return f"""# How Fairway releases this library. Recognised: {one_line(library.summary)}.
# The tutorial docs/tutorial/release-a-library.md goes through it; `fairway check` reports every mistake, and
# `fairway release --dry-run` prints what a release would do.
{notes}service: {service}
release:
  # Run one after the other in a clean checkout, without a shell; the outputs are kept by their digest."""


def _task(stage: str, name: str, steps: tuple[str, ...], outputs: str = "") -> list[str]:
    lines = [f"  {stage}:", f"    {name}:", "      run:", *(f"        - {scalar(step)}" for step in steps)]
    return [*lines, f"      outputs: {scalar(outputs)}"] if outputs else lines


def _publish(library: Library) -> list[str]:
    token = f"{library.registry.upper()}_TOKEN"
    return [
        "  # A release tags the commit. This sends the tag to a remote as well:",
        "  # push: origin",
        f"  # This publishes; the token is read from the variable {token} and written down nowhere:",
        "  # publish:",
        f"  #   {library.registry}:",
        f"  #     kind: {library.registry}",
        f"  #     files: {scalar(library.outputs)}",
        f"  #     {_SETTINGS[library.registry]}: {token}",
    ]
