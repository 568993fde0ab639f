"""The configuration is edited, spoilt or removed while a rollout is under way: the run goes by what it began with."""

import pytest
from services import ask, configure, environment, release
from workshop import Workshop, free_port

from fairway.adapters.load.process import Load

CANARY = "{kind: canary, steps: [50, 100], bake: 5s}"


@pytest.mark.timeout(240)
def test_a_run_under_way_goes_by_the_configuration_that_it_began_with(shop: Workshop) -> None:
    port, other = free_port(), free_port()
    text = configure(environment("production", port, CANARY, instances=1))
    release(shop, "1.0.0", **{"fairway.yaml": text})
    assert shop.deploy("1.0.0", "production", "--timeout", "60s").status == 0
    edited = configure(environment("production", other, "{kind: rolling, bake: 0s}", instances=3))
    for number, change in enumerate((edited, "service: [", None), 1):
        version = f"1.{number}.0"
        (shop.folder / "fairway.yaml").write_text(text)
        release(shop, version)
        with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8) as users:
            assert shop.deploy(version, "production", "--no-wait").status == 0
            shop.await_status("production", lambda status: status["weight"] == 50)
            if change is None:
                (shop.folder / "fairway.yaml").unlink()
            else:
                (shop.folder / "fairway.yaml").write_text(change)
            ended = shop.await_status("production", lambda status: status["finished"] is not None)
            seen = users.stop()
        assert (ended["release"], ended["phase"]) == (version, "completed"), ended
        assert seen.failed == 0, seen
        assert ask(port).text == version
        assert ask(other).status == 0
        assert len([unit for unit in shop.units() if unit.startswith("i.")]) == 1
    (shop.folder / "fairway.yaml").write_text(text)
