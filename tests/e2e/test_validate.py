"""`fairway validate` as people and scripts use it, and the same checks within rollouts and on every way back."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from workshop import FAIRWAY, Workshop, free_port

pytestmark = pytest.mark.timeout(120)

APP = (Path(__file__).parents[1] / "apps" / "accounts.py").read_text()
KEY = "key-of-the-service"

CONFIG = """\
service: shop
build: {{steps: []}}
run:
  command: {python} accounts.py --host {{host}} --port {{port}} {options}
  health: {{ready: /health}}
  drain: 1s
environments:
  production:
    target: local
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    analysis: {{warmup: 1s, block: 1s}}
    strategy: {{kind: blue-green, keep: 1s}}
validation:
  secrets: [SHOP_KEY]
  checks:
    health: {{kind: health, version: release}}
    me: {{kind: auth, path: /api/v1/me, bearer: "{{{{SHOP_KEY}}}}"}}
    tables: {{kind: database, url: "sqlite:///{database}", moments: [before, live]}}
    integration:
      kind: flow
      requests:
        - {{send: POST /api/v1/users, body: {{email: test@example.com, name: Test User}}, expect: 201}}
        - send: POST /api/v1/auth/login
          body: {{email: test@example.com, password: test123}}
          capture: {{TOKEN: $.token}}
        - send: POST /api/v1/resources
          headers: {{Authorization: "Bearer {{{{TOKEN}}}}"}}
          body: {{name: Test Resource}}
          expect: 201
          capture: {{RESOURCE_ID: $.id}}
      cleanup:
        - {{send: "DELETE /api/v1/resources/{{{{RESOURCE_ID}}}}", headers: {{Authorization: "Bearer {{{{TOKEN}}}}"}}}}
"""


@contextmanager
def application(*options: str):
    """The URL of the application, run by hand."""
    port = free_port()
    path = Path(__file__).parents[1] / "apps" / "accounts.py"
    running = subprocess.Popen([sys.executable, path, "--port", str(port), *options])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        running.wait()


def validate(*arguments: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if name not in {"BASE_URL", "VERBOSE"}}
    return subprocess.run(
        [FAIRWAY, "validate", *arguments],
        cwd=folder,
        env=clean | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def well():
    with application() as url:
        yield url


def test_an_address_alone_is_enough_and_the_answer_can_be_read(well, tmp_path):
    done = validate(well, folder=tmp_path, TIMEOUT_SECS="20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ passed   health" in done.stdout
    assert "ready: database ok, redis ok, storage ok" in done.stdout
    assert f"{well}: passed (" in done.stdout
    assert "[1/7] answers" in done.stderr, "progress"


def test_the_variables_do_what_they_say(well, tmp_path):
    variables = {"BASE_URL": well, "TIMEOUT_SECS": "20", "CONCURRENT_REQUESTS": "7", "VERBOSE": "true"}
    done = validate(folder=tmp_path, **variables, MAX_RESPONSE_TIME_MS="2000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 requests at once to /health" in done.stdout
    assert "mean of 5 within 2000 ms" in done.stdout
    slow = validate(well, "--json", folder=tmp_path, MAX_RESPONSE_TIME_MS="0.001")
    assert slow.returncode == 1
    assert [one["code"] for one in json.loads(slow.stdout)["findings"] if one["outcome"] == "failed"] == ["slow"]


@pytest.mark.parametrize(
    ("name", "value"), [("TIMEOUT_SECS", "soon"), ("CONCURRENT_REQUESTS", "0"), ("MAX_RESPONSE_TIME_MS", "-5")]
)
def test_a_variable_that_is_no_number_is_refused(name, value, tmp_path):
    done = validate("http://127.0.0.1:1", "--json", folder=tmp_path, **{name: value})
    assert done.returncode == 2
    assert name in json.loads(done.stdout)["error"]["message"]


def test_timeout_secs_waits_for_an_address_that_is_not_up_yet(tmp_path):
    port = free_port()
    waiting = subprocess.Popen(
        [FAIRWAY, "validate", f"http://127.0.0.1:{port}", "--json"],
        cwd=tmp_path,
        env=os.environ | {"TIMEOUT_SECS": "30"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    path = Path(__file__).parents[1] / "apps" / "accounts.py"
    late = subprocess.Popen([sys.executable, path, "--port", str(port)])
    try:
        out, _ = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, out
    finally:
        late.kill()
        late.wait()


def test_nobody_there_is_neither_yes_nor_no(tmp_path):
    done = validate(f"127.0.0.1:{free_port()}", "--json", folder=tmp_path)
    assert done.returncode == 3
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["outcome"], finding["code"]) == ("errored", "refused")
    assert finding["cause"].startswith("nothing listens there")


def test_a_finding_is_a_no_with_its_cause_and_what_to_do(tmp_path):
    report = tmp_path / "report.xml"
    with application("--broken", "redis") as url:
        done = validate(url, "--junit", str(report), folder=tmp_path, TIMEOUT_SECS="20")
    assert done.returncode == 1
    assert "came      redis is 'failed'" in done.stdout
    assert "likely    something that the service needs is not well, as it says itself" in done.stdout
    assert "to do     look at that dependency from the service's host" in done.stdout
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite.get("failures") == "1"
    (failure,) = suite.iter("failure")
    assert (failure.get("type"), failure.get("message")) == ("health-dependency", "redis is 'failed'")


def test_without_an_address_there_is_nothing_to_validate(tmp_path):
    done = validate("--json", folder=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "no-address"
    password = validate("http://ann:a-password@127.0.0.1:1", "--json", folder=tmp_path)
    assert password.returncode == 2
    assert "a-password" not in password.stdout + password.stderr
    strange = validate("ftp://127.0.0.1", "--json", folder=tmp_path)
    assert strange.returncode == 2


# In rollouts


@pytest.fixture(scope="module")
def deployed(shared_shop: Workshop, tmp_path_factory):
    """A shop whose 1.2.3 is live, and its port; the controller knows the secret."""
    port, folder = free_port(), tmp_path_factory.mktemp("data")
    os.environ["SHOP_KEY"] = KEY
    try:
        release(shared_shop, "1.2.3", port, folder / "shop.db")
        first = shared_shop.deploy("1.2.3", "production")
        assert first.status == 1, "the table is missing before the first start"
        with closing(sqlite3.connect(folder / "shop.db")) as database:
            database.execute("CREATE TABLE seen (id)")
        second = shared_shop.deploy("1.2.3", "production")
        assert second.status == 0, second.out
        yield shared_shop, port, folder / "shop.db", first, second
    finally:
        del os.environ["SHOP_KEY"]


def release(
    shop: Workshop, version: str, port: int, database: Path, options: str = "", *, says: str = "", more: str = ""
) -> None:
    words = f"--version v{says or version} --database {database} {options}"
    text = CONFIG.format(python=sys.executable, port=port, options=words, database=database) + more
    shop.release(version, {"fairway.yaml": text, "accounts.py": APP})


def steps(answer: Any, kind: str) -> list[dict[str, Any]]:
    return [step for step in answer.json["steps"] if kind in step["name"] and step["seconds"] is not None]


def test_what_a_service_needs_is_looked_at_before_anything_changes(deployed):
    *_, first, _ = deployed
    (bad,) = [step for step in first.json["steps"] if step["outcome"] == "failed"]
    assert bad["name"] == "1 check of the public address"
    assert "tables: SQLite" in first.json["reason"]
    assert "no such file" in first.json["reason"]


def test_the_checks_run_on_the_candidate_and_after_the_switch(deployed):
    *_, second = deployed
    assert [step["outcome"] for step in steps(second, "check")] == ["done"] * 3
    (preview,) = steps(second, "of the preview address")
    assert preview["name"] == "3 checks of the preview address"


def test_validate_alone_takes_the_environment_its_address_and_its_secret(deployed):
    shop, *_ = deployed
    done = validate("--json", folder=shop.folder, SHOP_KEY=KEY)
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout)
    assert {one["check"] for one in report["findings"]} == {"health", "me", "tables", "integration"}
    assert KEY not in done.stdout + done.stderr
    other = validate("--only", "me", folder=shop.folder, SHOP_KEY="another-key-than-that")
    assert other.returncode == 1
    assert "another-key-than-that" not in other.stdout + other.stderr
    assert validate("--only", "you", folder=shop.folder).returncode == 2


def test_a_candidate_that_fails_gets_no_request_and_a_way_back_that_does_not_pass_calls_for_a_person(deployed):
    shop, port, database, *_ = deployed
    late = "    late: {kind: http, path: /nowhere, moments: [rollback]}\n"
    release(shop, "1.3.0", port, database, "--broken login", more=late)
    done = shop.deploy("1.3.0", "production")
    assert (done.status, done.json["phase"], done.json["verdict"]) == (1, "rolled-back", "failed")
    assert "integration: POST /api/v1/auth/login: status 401" in done.json["reason"]
    assert "likely the credential is missing, wrong or expired" in done.json["reason"]
    assert not steps(done, "weight 100 %")
    before, after = steps(done, "of the public address")
    assert (before["name"], after["name"]) == ("1 check of the public address", "4 checks of the public address")
    assert "rolled back to 1.2.3, and its checks do not pass either: late: GET /nowhere" in done.json["attention"]
    again = validate("--only", "health", folder=shop.folder, SHOP_KEY=KEY)
    assert again.returncode == 0, "and what was live before is live"


def test_a_rollback_is_verified_by_the_checks_of_the_release_it_returns_to(deployed):
    shop, port, database, *_ = deployed
    release(shop, "1.5.0", port, database)
    assert shop.deploy("1.5.0", "production").status == 0
    words = ("--reason", "too dear", "--confirm", "CONFIRM", "--json")
    done = shop.fairway("rollback", "--env", "production", "--to", "1.2.3", *words)
    assert done.status == 0, done.out
    (verified,) = steps(done, "of the public address")
    assert (verified["name"], verified["outcome"]) == ("3 checks of the public address", "done")
