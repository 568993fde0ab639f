"""Where commands run."""

import os

import pytest
from command_runner import Runner, waited

from fairway.adapters.commands.place import Place


@pytest.fixture
def runner(tmp_path):
    runner = Runner(tmp_path)
    yield runner
    # Nothing of a test goes on: every watcher that was started has given up its lock.
    for place in (Place(folder) for folder in runner.store.glob("*") if folder.is_dir()):
        os.close(waited(place.take_lock, f"the end of what runs in {place.folder}"))
