"""The command `fairway`."""

import gc
import sys

from fairway import __version__


def main() -> None:
    """Runs the command line; `--version` answers without loading anything else."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"{__version__}\n")
        return
    # Starting makes many objects that stay; looking for garbage among them again and again costs a tenth of the start.
    gc.set_threshold(50_000, 20, 20)
    try:
        from fairway.cli import run

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        # While modules were being loaded: nothing had begun.
        sys.exit(3)


if __name__ == "__main__":
    main()
