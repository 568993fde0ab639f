"""A release that is killed at any boundary converges when it is resumed: nothing doubled, nothing lost.

The boundaries are counted, not chosen: before and after each upload to each of three registries, the tag and its push,
each job, each signature, the rollout, and each write to the journal.
"""

import pytest
from release_world import SEALED, Killed, World


def _world(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    return World(folder)


def _require_everything_once(world, release):
    assert release.phase == "completed", release.halted
    assert sorted(world.pypi.uploads) == ["shop.tar.gz", "shop.whl"]
    assert world.npm.uploads == ["shop.tgz"]
    assert world.images.uploads == ["shop"]
    assert sorted(world.tags.changes) == ["here v1.0.0", "origin v1.0.0"]
    products = {one.digest for one in release.products}
    assert world.attestor.attested.keys() == products
    assert SEALED in products
    assert set(world.pypi.files.values()) | set(world.npm.files.values()) | set(world.images.files.values()) < products
    assert world.deployments.started == [f"r-rel-1 staging {SEALED} ann"]


def test_a_release_that_is_not_killed_does_everything_once(tmp_path):
    world = _world(tmp_path, "calm")
    world.start("rel-1", deploy=True)
    _require_everything_once(world, world.host("rel-1"))
    effects = [one for one in world.boundaries if one.split()[1] in ("pypi", "npm", "oci", "tag", "push", "deploy")]
    # Two files to one registry, one to another, an image, the tag, its push, the rollout: each before and after.
    assert len(effects) == 14


def test_a_release_killed_at_any_boundary_converges_when_it_is_resumed(tmp_path):
    calm = _world(tmp_path, "calm")
    calm.start("rel-1", deploy=True)
    calm.host("rel-1")
    assert len(calm.boundaries) > 60
    for boundary in range(len(calm.boundaries)):
        world = _world(tmp_path, f"killed-{boundary}")
        world.start("rel-1", deploy=True)
        world.kill_at = boundary
        with pytest.raises(Killed):
            world.host("rel-1")
        world.kill_at = None
        _require_everything_once(world, world.resume("rel-1"))
        world.store.close()


def test_a_release_killed_twice_converges_too(tmp_path):
    # After each upload, and then again at the first boundary of the process that resumed it.
    calm = _world(tmp_path, "calm")
    calm.start("rel-1", deploy=True)
    calm.host("rel-1")
    after = [
        i
        for i, one in enumerate(calm.boundaries)
        if one.startswith(("after pypi", "after npm", "after oci", "after push"))
    ]
    for boundary in after:
        world = _world(tmp_path, f"killed-{boundary}")
        world.start("rel-1", deploy=True)
        for at in (boundary, len(calm.boundaries[: boundary + 1]) + 4):
            world.kill_at = at
            with pytest.raises(Killed):
                world.host("rel-1") if at == boundary else world.resume("rel-1")
        world.kill_at = None
        _require_everything_once(world, world.resume("rel-1"))
        world.store.close()
