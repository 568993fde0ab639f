"""Two services with two environments each on one machine, and what stops, starts and shows one of them alone."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from services import ask, configure, environment, release
from workshop import Workshop, free_port, workshop

#: The name of one environment is the beginning of the other's, and both repositories use the same names.
NAMES = ("prod", "production")
#: Writes a line for each request, and says where it runs.
TALKING = """import os
        print("asked for", scope["path"], "in", os.environ["FAIRWAY_ENVIRONMENT"], flush=True)
        body = " ".join(os.environ[name] for name in ("FAIRWAY_SERVICE", "FAIRWAY_ENVIRONMENT", "PORT")).encode()"""
FAST = "{kind: rolling, bake: 0s}"


class Street(NamedTuple):
    """Two repositories with everything deployed at the same time, and the users' ports by service and environment."""

    shops: dict[str, Workshop]
    ports: dict[tuple[str, str], int]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    with workshop(folder / "corner") as corner, workshop(folder / "kiosk") as kiosk:
        made = Street({"corner": corner, "kiosk": kiosk}, {})
        for service, shop in made.shops.items():
            for name in NAMES:
                made.ports[service, name] = free_port()
            environments = [environment(name, made.ports[service, name], FAST, observe="0s") for name in NAMES]
            release(shop, "1.0.0", TALKING, **{"fairway.yaml": configure(*environments, service=service)})
        with ThreadPoolExecutor() as pool:
            jobs = {place: pool.submit(made.shops[place[0]].deploy, "1.0.0", place[1]) for place in made.ports}
        for job in jobs.values():
            assert job.result().status == 0, job.result().err
        yield made


def _answers(street: Street, service: str, name: str) -> set[str]:
    """What the instances say: service, environment and their own port."""
    return {ask(street.ports[service, name]).text for _ in range(12)}


def test_what_was_deployed_at_the_same_time_does_not_clash(street: Street) -> None:
    own_ports = []
    for service, name in street.ports:
        answers = _answers(street, service, name)
        assert len(answers) == 2, answers
        for answer in answers:
            assert answer.split()[:2] == [service, name]
            own_ports.append(answer.split()[2])
        status = street.shops[service].status(name)
        assert (status["service"], status["live"]["release"], status["live"]["instances"]) == (service, "1.0.0", 2)
    assert len(set(own_ports)) == 8
    for service, shop in street.shops.items():
        units = {unit.rsplit(".1.0.0-", 1)[0] for unit in shop.units()}
        proxies = {f"envoy.{service}.{name}" for name in NAMES}
        assert units == {"controller", *proxies, *(f"i.{service}.{name}" for name in NAMES)}
    everywhere = street.shops["corner"].fairway("status", "--json").json
    assert {entry["environment"] for entry in everywhere["environments"]} == set(NAMES)


def test_one_environment_goes_down_and_comes_back_alone(street: Street) -> None:
    shop = street.shops["corner"]
    before = shop.units()
    down = shop.fairway("down", "--env", "prod", "--json")
    assert down.status == 0, down.err
    stopped = set(down.json["stopped"])
    assert stopped == {unit for unit in before if ".prod." in f"{unit}."}
    assert ask(street.ports["corner", "prod"]).status == 0
    assert shop.units() == {unit: pid for unit, pid in before.items() if unit not in stopped}
    for place in street.ports:
        if place != ("corner", "prod"):
            assert len(_answers(street, *place)) == 2, place
    assert shop.now("prod")["live"]["release"] == "1.0.0"

    up = shop.fairway("up", "--env", "prod", "--json")
    assert up.status == 0, up.err
    (entry,) = up.json["environments"]
    assert (entry["environment"], entry["release"], entry["ready"], entry["wanted"]) == ("prod", "1.0.0", 2, 2)
    _await_both(street, "corner", "prod")
    after = shop.units()
    assert after.keys() == before.keys()
    assert {unit: after[unit] for unit in after.keys() - stopped} == {
        unit: before[unit] for unit in after.keys() - stopped
    }
    again = shop.fairway("up", "--json")
    assert {entry["environment"]: entry["ready"] for entry in again.json["environments"]} == {
        "prod": 2,
        "production": 2,
    }
    assert shop.units() == after


def _await_both(street: Street, service: str, name: str) -> None:
    """The proxy has found both instances healthy, which it looks at by itself."""
    deadline = time.monotonic() + 60
    while len(_answers(street, service, name)) < 2:
        assert time.monotonic() < deadline


def test_logs_show_the_instances_of_one_environment_and_follow_them(street: Street) -> None:
    shop = street.shops["kiosk"]
    ask(street.ports["kiosk", "prod"], "/pears")
    ask(street.ports["kiosk", "production"], "/plums")
    shown = shop.fairway("logs", "--env", "prod", "--lines", "1000")
    assert shown.status == 0, shown.err
    assert "asked for /pears in prod\n" in shown.out
    assert "plums" not in shown.out
    revision = shop.now("prod")["live"]["revision"]
    instances = {line.split()[0] for line in shown.out.splitlines()}
    assert instances <= {f"{revision}.1", f"{revision}.2"}

    following = shop.start("logs", "--env", "production", "--follow")
    assert following.stdout is not None
    assert "asked for" in following.stdout.readline()
    ask(street.ports["kiosk", "production"], "/limes")
    ask(street.ports["kiosk", "production"], "/figs")
    wanted = {"asked for /limes in production", "asked for /figs in production"}
    while wanted:
        wanted.discard(following.stdout.readline().strip().partition("  ")[2])
    following.terminate()
    unknown = shop.fairway("logs", "--env", "nowhere")
    assert (unknown.status, unknown.out) == (2, "")
    assert "known are prod, production" in unknown.err


def test_the_history_tells_runs_by_environment_and_every_step_of_one(street: Street) -> None:
    shop = street.shops["kiosk"]
    runs = {name: shop.fairway("history", "--env", name, "--json").json["runs"] for name in NAMES}
    for name, entries in runs.items():
        (entry,) = entries
        assert (entry["environment"], entry["release"], entry["kind"], entry["verdict"]) == (
            name,
            "1.0.0",
            "deploy",
            "passed",
        )
        assert entry["started"] < entry["finished"]
    one = shop.fairway("history", "--run", runs["prod"][0]["run"]).json
    assert (one["run"], one["environment"]) == (runs["prod"][0]["run"], "prod")
    assert {step["outcome"] for step in one["steps"]} == {"done", "skipped"}
    text = shop.fairway("history").out
    header, *lines = text.splitlines()
    assert header.split()[:3] == ["RUN", "ENVIRONMENT", "RELEASE"]
    assert {tuple(line.split()[:3]) for line in lines} == {
        (entries[0]["run"], name, "1.0.0") for name, entries in runs.items()
    }


def test_an_address_that_another_service_has_is_refused_with_its_name(street: Street, tmp_path: Path) -> None:
    taken = street.ports["corner", "production"]
    with workshop(tmp_path / "late") as late:
        text = configure(environment("production", taken, FAST, instances=1), service="late")
        release(late, "1.0.0", **{"fairway.yaml": text})
        answer = late.deploy("1.0.0", "production")
        assert answer.status == 3, answer.out
        assert f"127.0.0.1:{taken}" in answer.json["reason"]
        assert "taken by process" in answer.json["reason"]
        assert not [unit for unit in late.units() if unit != "controller"]
    assert len(_answers(street, "corner", "production")) == 2
