"""Applications that behave badly while they run: what is done about them, and what the users notice."""

import json
import os
import re
import resource
import shlex
import sys
from pathlib import Path

import pytest
from services import HEALTHY, ask, configure, environment, next_version, release
from workshop import Answer, Workshop, free_port

from fairway.adapters.load.process import Load

pytestmark = pytest.mark.timeout(180)

PYTHON = sys.executable


class Place:
    """A repository with 1.0.0 live in `production`."""

    def __init__(self, shop: Workshop) -> None:
        self.shop, self.port = shop, free_port()
        self.good = configure(
            environment("production", self.port, "{kind: rolling, bake: 0s}", instances=1, observe="0s")
        )
        release(shop, "1.0.0", **{"fairway.yaml": self.good})
        assert shop.deploy("1.0.0", "production", "--timeout", "60s").status == 0

    def deploy(self, text: str, body: str = HEALTHY, **files: str) -> Answer:
        version = next_version()
        release(self.shop, version, body, **{"fairway.yaml": text, **files})
        return self.shop.deploy(version, "production", "--timeout", "90s")

    def with_command(self, command: str, health: str = "timeout: 4s") -> str:
        text = re.sub("  command: .*", lambda _: f"  command: {json.dumps(command)}", self.good)
        return text.replace("{ready: /health/ready,", f"{{{health}, ready: /health/ready,")

    @property
    def serving(self) -> str:
        """The command of the example."""
        (line,) = re.findall("  command: (.*)", self.good)
        return line


@pytest.fixture(scope="module")
def place(shared_shop: Workshop) -> Place:
    return Place(shared_shop)


def test_a_build_that_prints_a_gigabyte_is_built_and_keeps_50_megabytes_of_it(place: Place) -> None:
    text = place.good.replace("build: {steps: []}", "build: {steps: ['head -c 1000000000 /dev/zero']}")
    answer = place.deploy(text)
    assert answer.status == 0, answer.err[-2000:]
    logs = (place.shop.folder / ".fairway/artifacts/corner/.store").glob("*.log")
    assert max(path.stat().st_size for path in logs) < 60 << 20


def test_a_command_on_the_wrong_port_is_taken_back(place: Place) -> None:
    answer = place.deploy(place.with_command(f"{PYTHON} -m http.server --bind 127.0.0.1 {free_port()}"))
    assert (answer.status, answer.json["phase"]) == (1, "rolled-back")
    assert "Nobody listens on 127.0.0.1:" in answer.json["reason"]
    assert ask(place.port).status == 200


def test_a_command_that_never_listens_is_taken_back_after_its_time(place: Place) -> None:
    answer = place.deploy(place.with_command("sleep 1000"))
    assert (answer.status, answer.json["phase"]) == (1, "rolled-back")
    assert "after 4 s 0 of 1 instances of the candidate are ready" in answer.json["reason"]


def test_a_crash_after_ten_seconds_is_taken_back_by_the_watch(place: Place) -> None:
    """It lives for longer than what counts as a crash loop; in the watch its restarts count against it."""
    crash = f"sh -c '(sleep 10.5; kill -9 $$) & exec {place.serving}'"
    text = place.with_command(crash).replace("{kind: rolling, bake: 0s}", "{kind: blue-green, keep: 40s}")
    with Load(f"http://127.0.0.1:{place.port}/", rate=50, connections=4) as users:
        answer = place.deploy(text)
        seen = users.stop()
    assert (answer.status, answer.json["phase"]) == (1, "rolled-back"), answer.json
    assert seen.failed == 0, seen
    assert ask(place.port).status == 200


def test_what_ignores_sigterm_is_killed_after_its_grace_with_all_its_children(place: Place) -> None:
    deaf = f"sh -c 'trap \"\" TERM; sleep 1000 & sleep 1000 & {place.serving}'"
    assert place.deploy(place.with_command(deaf)).status == 0
    sleepers = _processes("sleep 1000", place.shop.folder)
    assert len(sleepers) == 2
    assert place.deploy(place.good).status == 0
    assert not _processes("sleep 1000", place.shop.folder)
    assert ask(place.port).status == 200


def test_a_flood_in_the_log_of_an_instance_stays_within_bounds(place: Place) -> None:
    body = "print('x' * 1_000_000, flush=True)"
    assert place.deploy(place.good, body).status == 0
    for _ in range(100):
        assert ask(place.port).status == 200
    logs = place.shop.folder / ".fairway/supervisor/logs"
    assert sum(path.stat().st_size for path in logs.glob("i.*")) < 60 << 20


def test_memory_without_end_costs_the_instance_its_life_and_nobody_else(place: Place) -> None:
    """The application limits itself, as a container would; Fairway starts it anew."""
    limit = 400 << 20
    body = f"""__import__('resource').setrlimit({resource.RLIMIT_AS}, ({limit}, {limit}))
        KEPT.append(b'x' * (8 << 20))"""
    version = next_version()
    release(place.shop, version, body, **{"fairway.yaml": place.good})
    file = place.shop.folder / "corner.py"
    file.write_text(
        file.read_text()
        .replace("SEEN = 0", "SEEN = 0\nKEPT = []")
        .replace(
            "        KEPT.append",
            "        try:\n            pass\n        except ValueError:\n            pass\n        KEPT.append",
        )
    )
    place.shop.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    place.shop.git("tag", "--force", f"v{version}")
    assert place.shop.deploy(version, "production", "--timeout", "60s").status == 0
    answers = [ask(place.port).status for _ in range(120)]
    assert answers[0] == 200
    assert 500 in answers or 503 in answers or 0 in answers
    assert place.shop.status("production")["live"]["release"] == version
    assert place.deploy(place.good).status == 0
    assert ask(place.port).status == 200


def test_an_instance_that_writes_to_its_sealed_folder_is_stopped_by_its_mode_or_found_out(place: Place) -> None:
    """Root may write everywhere: then the artifact counts as altered, and is deployed nowhere again."""
    first = place.deploy(place.good, "open('written.txt', 'w').write('by the application')")
    assert first.status == 0
    ask(place.port)
    assert place.deploy(place.good).status == 0
    back = place.shop.fairway(
        "rollback",
        "--env",
        "production",
        "--to",
        first.json["release"],
        "--reason",
        "r",
        "--confirm",
        "CONFIRM",
        "--json",
    )
    if os.geteuid() == 0:
        assert (back.status, back.json["error"]["code"]) == (1, "artifact-altered")
        assert "written.txt" in back.json["error"]["message"]
    else:
        assert back.status == 0


def test_an_artifact_that_was_altered_on_disk_is_deployed_nowhere(place: Place) -> None:
    shop = place.shop
    answers = [place.deploy(place.good) for _ in range(2)]
    assert [answer.status for answer in answers] == [0, 0]
    first, second = (answer.json for answer in answers)
    file = shop.folder / ".fairway/artifacts/corner"
    (record,) = [path for path in (file / ".store").glob("*.json") if first["digest"] in path.read_text()]
    code = file / record.stem / "corner.py"
    content = code.read_bytes()
    code.chmod(0o644)
    code.write_bytes(content + b"# a line of somebody else\n")
    hand = ("--env", "production", "--reason", "test", "--confirm", "CONFIRM", "--json")
    for answer in (
        shop.fairway("rollback", "--to", first["release"], *hand),
        shop.deploy(first["release"], "production"),
        shop.deploy(first["digest"], "production"),
    ):
        assert answer.status in (1, 3), answer
        assert "corner.py" in answer.out
    code.write_bytes(content)
    assert shop.now("production")["live"]["release"] == second["release"]


def test_a_folder_with_a_hostile_name_is_no_obstacle(tmp_path: Path) -> None:
    """Spaces, quotes, braces, a dollar, a percent sign, a line break, letters beyond ASCII."""
    made = Workshop(tmp_path / "my 'shop' \"x\" ü\nz $HOME %s {port} \\n")
    try:
        port = free_port()
        text = configure(environment("production", port, "{kind: rolling, bake: 0s}", instances=1, observe="0s"))
        text = text.replace("build: {steps: []}", f"build: {{steps: [{json.dumps(shlex.join(['touch', 'a b']))}]}}")
        release(made, "1.0.0", **{"fairway.yaml": text})
        assert made.deploy("1.0.0", "production").status == 0
        assert ask(port).text == "1.0.0"
    finally:
        made.close()


def _processes(words: str, folder: Path) -> list[int]:
    """Processes with this command that work below the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                place = str((entry / "cwd").readlink())
            except OSError:
                continue
            if line.strip() == words and place.startswith(str(folder)):
                found.append(int(entry.name))
    return found
