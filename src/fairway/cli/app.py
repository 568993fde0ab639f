"""The commands."""


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit status."""
    raise NotImplementedError(arguments)
