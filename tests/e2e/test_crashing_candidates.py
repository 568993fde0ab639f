"""A candidate whose process ends under requests is told as its exit, on real processes behind a real Envoy."""

import re

from services import corner, release
from workshop import Workshop

from fairway.adapters.load.process import Load


def test_a_process_that_is_killed_is_told_as_its_signal(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 60s}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", "__import__('os').killpg(0, 9) if SEEN == 40 else None")
    with Load(f"http://127.0.0.1:{port}/", rate=200, connections=16):
        report = shop.deploy("1.1.0", "production").json
    assert (report["phase"], report["evidence"]["rule"]) == ("rolled-back", "crash"), report["reason"]
    assert re.search(r"\((last: )?signal SIGKILL\)", report["reason"]), report["reason"]
