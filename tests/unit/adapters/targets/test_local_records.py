import json
import threading

import pytest

from fairway.adapters.targets.local.records import InstanceRecord, LogRecord, Records, RecordStore, key_of
from fairway.domain.errors import InvariantError, TransientError


def instance(revision, number, port=20_000):
    return InstanceRecord(
        id=f"{revision}.{number}",
        revision=revision,
        number=number,
        host="127.0.0.1",
        port=port,
        inherited=(("PATH", "/bin"),),
        ready=None,
        ready_body=None,
        timeout=30.0,
    )


def log(revision, number):
    return LogRecord(f"{revision}.{number}", revision, f"/logs/{revision}.{number}.log")


def test_what_was_written_is_read_again(tmp_path):
    store = RecordStore(tmp_path / "new", "shop.production")
    assert store.read() == Records()
    records = Records(7, (instance("r1", 1), instance("r2", 1)), (log("r0", 1),), 20_001)
    with store.changing():
        store.write(records)
    assert RecordStore(tmp_path / "new", "shop.production").read() == records
    assert RecordStore(tmp_path / "new", "shop.staging").read() == Records()


def test_what_an_earlier_version_wrote_is_read(tmp_path):
    records = Records(7, (instance("r1", 1),), (), 20_001)
    RecordStore(tmp_path, "shop").write(records)
    value = json.loads((tmp_path / "shop.json").read_text())
    assert value.pop("leaving") == []
    assert value["instances"][0].pop("socket") == ""
    (tmp_path / "shop.json").write_text(json.dumps(value))
    assert RecordStore(tmp_path, "shop").read() == records


def test_an_instance_that_leaves_keeps_its_number_and_its_port_until_it_is_gone(tmp_path):
    one, two = instance("r1", 1, 20_001), instance("r1", 2, 20_002)
    records = Records(7, (one, two)).retire((two,))
    assert (records.of("r1"), records.leaving) == ((one,), (two,))
    assert records.next_number("r1") == 3
    RecordStore(tmp_path, "shop").write(records)
    assert RecordStore(tmp_path, "shop").read() == records
    with RecordStore(tmp_path, "other").choosing_ports() as taken:
        assert taken == {20_001, 20_002}


def test_a_file_that_cannot_be_understood_is_never_taken_for_nothing(tmp_path):
    (tmp_path / "shop.json").write_text('{"epoch": 3}')
    with pytest.raises(InvariantError):
        RecordStore(tmp_path, "shop").read()


def test_changes_exclude_each_other_and_waiting_has_an_end(tmp_path):
    held, release = threading.Event(), threading.Event()

    def hold():
        with RecordStore(tmp_path, "shop").changing():
            held.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    with pytest.raises(TransientError) as error, RecordStore(tmp_path, "shop", patience=0.05).changing():
        pass
    assert error.value.code == "target-busy"
    with RecordStore(tmp_path, "other", patience=0.05).changing():
        pass
    release.set()
    thread.join()
    with RecordStore(tmp_path, "shop", patience=5).changing():
        pass


def test_the_ports_of_every_service_are_taken(tmp_path):
    RecordStore(tmp_path, "one").write(Records(1, (instance("r", 1, 20_001),)))
    RecordStore(tmp_path, "two").write(Records(1, (instance("r", 1, 20_002),)))
    with RecordStore(tmp_path, "three").choosing_ports() as taken:
        assert taken == {20_001, 20_002}


def test_numbers_grow_beyond_what_is_left_of_a_revision():
    records = Records(1, (instance("r1", 2), instance("r1.5", 9)), (log("r1", 4),))
    assert records.next_number("r1") == 5
    assert records.next_number("r1.5") == 10
    assert records.next_number("r2") == 1


def test_the_output_of_the_last_revisions_is_kept_and_of_each_the_last_instances():
    ended = tuple(log(f"r{number}", 1) for number in range(4))
    many = tuple(log("live", number) for number in range(1, 6))
    kept, dropped = Records(1, (instance("live", 9),)).divide_logs((*many, *ended), revisions=2, each=3)
    assert kept == (*many[2:], *ended[2:])
    assert dropped == (*many[:2], *ended[:2])


def test_keys_are_readable_and_never_the_same_for_different_names():
    assert key_of("shop", "production") == "shop.production"
    names = [("shop", "a.b"), ("shop.a", "b"), ("Shop", "a-b"), ("shop", "a-b"), ("shop", "a_b"), ("s" * 90, "a" * 90)]
    keys = [key_of(*name) for name in names]
    assert len(set(keys)) == len(names)
    assert all(key.count(".") == 1 and len(key) < 100 for key in keys)
