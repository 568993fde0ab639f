"""Commands of an account that may not do everything: as root the tests could not be denied anything."""

import os
import subprocess
from pathlib import Path

from workshop import FAIRWAY, Answer

#: Root keeps what belongs to root, as any account does, and loses the right to overrule permissions.
_OVERRULE = "-dac_override,-dac_read_search,-fowner"


def deprived(*words: str) -> list[str]:
    """The command line of a program that permissions hold for."""
    if os.geteuid() != 0:
        return [*words]
    return ["setpriv", f"--bounding-set={_OVERRULE}", f"--inh-caps={_OVERRULE}", *words]


def run_deprived(folder: Path, *arguments: str, timeout: float = 120) -> Answer:
    """One command of Fairway's that permissions hold for."""
    done = subprocess.run(
        deprived(FAIRWAY, *arguments), cwd=folder, capture_output=True, text=True, timeout=timeout, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)
