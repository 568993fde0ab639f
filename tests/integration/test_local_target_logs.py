import itertools
import sys
import urllib.request
from pathlib import Path

import pytest
from supervised import WEB_APP, supervisor, wait_until

from fairway.adapters.targets.local import LocalTarget
from fairway.adapters.targets.local.target import KEPT_REVISIONS
from fairway.domain.rollout.revision import Artifact, Health, Revision, RunSpec

__all__ = ["supervisor"]
COMMAND = f"{sys.executable} -S {WEB_APP} --port {{port}}"


@pytest.fixture
def target(tmp_path, supervisor):
    return LocalTarget(service="shop", environment="production", folder=tmp_path / "targets", supervisor=supervisor)


def revise(name, command=COMMAND):
    run = RunSpec(command, health=Health(ready="/health/ready"), grace=1.0)
    return Revision(name, "shop", "production", Artifact("shop", "1", "c" * 40, "sha256:0", "/"), run)


def ready(target, revision):
    wait_until(lambda: all(one.state == "ready" for one in target.observe_instances(revision)))
    return target.observe_instances(revision)


def say(instance, text):
    urllib.request.urlopen(f"http://127.0.0.1:{instance.endpoint.port}/say?{text}", timeout=60).close()


def texts(target, revision, lines):
    return [line.text for line in target.read_logs(revision, lines=lines, follow=False)]


def test_the_last_lines_of_each_instance(target):
    target.ensure_instances(revise("r1"), 2, epoch=1)
    one, two = ready(target, "r1")
    for text in ("a", "b", "c"):
        say(one, text)
    say(two, "z")
    lines = list(target.read_logs("r1", lines=2, follow=False))
    assert [(line.instance, line.text) for line in lines] == [
        (one.id, "b"),
        (one.id, "c"),
        (two.id, f"listening on {two.endpoint.port}"),
        (two.id, "z"),
    ]


def test_following_sees_new_lines_and_new_instances_and_ends_with_the_revision(target):
    target.ensure_instances(revise("r1"), 1, epoch=1)
    (one,) = ready(target, "r1")
    say(one, "before")
    stream = target.read_logs("r1", lines=1, follow=True)
    assert next(stream).text == "before"
    say(one, "after")
    assert next(stream).text == "after"
    target.ensure_instances(revise("r1"), 2, epoch=1)
    two = ready(target, "r1")[1]
    assert next(stream).text == f"listening on {two.endpoint.port}"
    say(two, "last")
    target.ensure_instances(revise("r1"), 0, epoch=1)
    assert [(line.instance, line.text) for line in stream] == [(two.id, "last")]


def test_following_all_revisions_sees_one_that_is_deployed_meanwhile(target):
    target.ensure_instances(revise("r1"), 1, epoch=1)
    ready(target, "r1")
    stream = target.read_logs(None, lines=1, follow=True)
    assert next(stream).revision == "r1"
    target.ensure_instances(revise("r2"), 1, epoch=1)
    assert next(stream).revision == "r2"
    stream.close()


def test_following_a_flood_yields_whole_lines_across_rotations(target):
    target.ensure_instances(revise("r1", "yes 0123456789012345678901234567890123456789"), 1, epoch=1)
    wait_until(lambda: texts(target, "r1", 1))
    stream = target.read_logs("r1", lines=0, follow=True)
    seen = {line.text for line in itertools.islice(stream, 1_000_000)}
    stream.close()
    assert "0123456789012345678901234567890123456789" in seen
    assert len(seen) < 30  # at a rotation a line may be cut; everything else is whole


def test_what_ended_can_still_be_read_until_five_more_have_ended(target, tmp_path):
    for number in range(KEPT_REVISIONS + 1):
        name = f"r{number}"
        target.ensure_instances(revise(name, f"sh -c 'echo I am {name}; exec sleep 1000'"), 1, epoch=1)
        wait_until(lambda name=name: texts(target, name, 1))
        target.ensure_instances(revise(name), 0, epoch=1)
    assert texts(target, "r0", 9) == []
    assert texts(target, "r1", 9) == ["I am r1"]
    assert texts(target, None, 9) == []
    left = sorted(path.name for path in Path(tmp_path / "supervisor/logs").iterdir())
    assert left == [f"i.shop.production.r{number}.1.log" for number in range(1, KEPT_REVISIONS + 1)]
