"""The address of the preview, after a loss of power cut its record short."""

import json
from pathlib import Path

import pytest

from fairway.bootstrap.preview import choose_preview


@pytest.mark.parametrize("left", ["", '{"shop.stag'])
def test_preview_addresses_that_were_lost_are_chosen_anew_and_kept(left: str, tmp_path: Path):
    (tmp_path / "previews.json").write_text(left)
    chosen = choose_preview(tmp_path, "shop.staging")
    assert choose_preview(tmp_path, "shop.staging") == chosen
    assert list(json.loads((tmp_path / "previews.json").read_text())) == ["shop.staging"]
