"""The list of running instances that Prometheus reads."""

import json

import pytest

from fairway.adapters.targets.local.discovery import publish_instances
from fairway.adapters.targets.local.records import InstanceRecord, Records
from fairway.domain.errors import TransientError


def _record(number, *, port=20001, socket="", revision="1.2.0-abc"):
    host = "" if socket else "127.0.0.1"
    return InstanceRecord(
        f"{revision}.{number}", revision, number, host, port, (), None, None, 5.0, socket=socket, version="1.2.0"
    )


def _publish(folder, *records):
    publish_instances(folder, "shop", "production", Records(instances=records))
    return json.loads((folder / "prometheus/shop.production.json").read_text())


def test_each_instance_has_its_address_and_what_tells_it_apart(tmp_path):
    (group,) = _publish(tmp_path, _record(3))
    assert group["targets"] == ["127.0.0.1:20001"]
    assert group["labels"] == {
        "service": "shop",
        "environment": "production",
        "revision": "1.2.0-abc",
        "version": "1.2.0",
        "instance": "1.2.0-abc.3",
    }


def test_instances_that_are_gone_are_gone_from_the_list(tmp_path):
    assert len(_publish(tmp_path, _record(1), _record(2, port=20002))) == 2
    assert [group["targets"] for group in _publish(tmp_path, _record(2, port=20002))] == [["127.0.0.1:20002"]]
    assert _publish(tmp_path) == []


def test_an_instance_on_a_socket_is_left_out(tmp_path):
    assert _publish(tmp_path, _record(1, port=0, socket="/run/shop.sock")) == []


def test_without_a_change_the_file_is_left_alone(tmp_path):
    _publish(tmp_path, _record(1))
    path = tmp_path / "prometheus/shop.production.json"
    before = path.stat().st_ino
    _publish(tmp_path, _record(1))
    assert path.stat().st_ino == before
    assert [one.name for one in path.parent.iterdir()] == [path.name], "no draft is left"


def test_a_list_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "prometheus").write_text("in the way")
    with pytest.raises(TransientError, match="cannot be written"):
        _publish(tmp_path, _record(1))
