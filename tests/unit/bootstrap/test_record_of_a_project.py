"""What a project remembers of its configuration, after a loss of power cut it short."""

from pathlib import Path

import pytest

from fairway.bootstrap.project import STATE_FOLDER, open_known, open_reader, recall

CONFIGURATION = """service: shop
run: {command: "serve {port}"}
environments: {staging: {router: {kind: envoy, listen: "127.0.0.1:18231"}}}
"""


@pytest.mark.parametrize("left", ["", "sho", "shop\n", None])
def test_a_record_that_is_none_is_written_anew(left: str | None, tmp_path: Path):
    config, state = tmp_path / "fairway.yaml", tmp_path / STATE_FOLDER
    config.write_text(CONFIGURATION)
    state.mkdir()
    if left is not None:
        (state / "project").write_text(left)
    service, store = open_reader(config)
    store.close()
    assert service == "shop"
    assert open_known(config).database == str(state / "journal.db")
    config.write_text("nonsense")
    assert recall(config) == (config, "shop", str(state / "journal.db"))
