"""What the conformance tests share. Tables and histories of other projects lie beside the repository, in
`../shared/data/versioning`; where they are not, the tests over them are not collected, and the summary says so."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

DATA = Path(__file__).parents[3] / "shared" / "data" / "versioning"
collect_ignore = [] if DATA.is_dir() else ["test_recorded_histories.py", "test_tables.py"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if collect_ignore:
        names = ", ".join(collect_ignore)
        terminalreporter.write_line(f"not run, for there is no folder {DATA}: {names}", yellow=True)
