"""What an environment that demands signatures takes and refuses, from the release to the rollout."""

import stat
from pathlib import Path

import pyrage
import pytest
from services import APPLICATION, ENVIRONMENT, configure
from workshop import free_port

SOURCE = "https://git.example/acme/corner"
RELEASE = """\
release:
  key: release
  build: {list: {run: sh -c 'ls > list.txt', outputs: list.txt}}
  test: {unit: {run: "test -e corner.py"}}
"""


@pytest.fixture
def corner(shop):
    port = free_port()
    gates = f"    gates: {{passed: [unit], signed: {{keys: [release], sources: ['{SOURCE}']}}}}\n"
    production = ENVIRONMENT.format(
        name="production",
        port=port,
        instances=1,
        strategy="{kind: rolling, bake: 0s}",
        analysis="balanced",
        observe="0s",
        more=gates,
    )
    shop.identity = pyrage.x25519.Identity.generate()
    shop.git("remote", "add", "origin", SOURCE)
    shop.configuration = configure(production, head=RELEASE)
    (shop.folder / "fairway.yaml").write_text(shop.configuration)
    shop.port = port
    made = shop.fairway("keys", "create", "release", "--recipient", str(shop.identity.to_public()), "--json")
    assert made.status == 0, made.err
    return shop


def files(text, version):
    return {"fairway.yaml": text, "corner.py": APPLICATION.format(version=version, body="pass")}


def released(shop, version, *more):
    return shop.fairway("release", version, "--json", *more, FAIRWAY_AGE_IDENTITY=str(shop.identity))


def refusal(shop, release):
    answer = shop.deploy(release, "production", "--no-wait")
    assert answer.status == 1, answer.out + answer.err
    return answer.json["error"]["code"]


def return_refusal(shop, *to):
    said = ("--reason", "slow", "--confirm", "CONFIRM", "--no-wait", "--json")
    answer = shop.fairway("rollback", "--env", "production", *to, *said)
    assert answer.status == 1, answer.out + answer.err
    return answer.json["error"]["code"]


def test_what_has_not_passed_a_check_that_is_demanded_is_refused_by_its_name(corner):
    unsigned = corner.configuration.replace(f", signed: {{keys: [release], sources: ['{SOURCE}']}}", "")
    (corner.folder / "fairway.yaml").write_text(unsigned)
    corner.release("1.0.0", files(unsigned, "1.0.0"))
    refused = corner.deploy("v1.0.0", "production", "--no-wait").json["error"]
    assert (refused["code"], "has not passed unit in a release" in refused["message"]) == ("checks-missing", True)
    (corner.folder / "fairway.yaml").write_text(unsigned.replace("passed: [unit]", "passed: [unti]"))
    mistaken = corner.fairway("check", "--json").json["problems"][0]
    assert (mistaken["key_path"], "unit" in mistaken["hint"]) == ("environments.production.gates.passed[0]", True)


def check_live(shop, sealed):
    status = shop.status("production")
    assert (status["release"], status["digest"]) == ("1.0.0", sealed)
    verified = shop.fairway("verify", "1.0.0", "--source", SOURCE, "--json")
    assert verified.status == 0, verified.out
    assert {one["name"] for one in verified.json["artifacts"]} == {"corner", "list.txt"}
    assert {one["source"] for one in verified.json["artifacts"]} == {SOURCE}


def test_only_what_was_released_reaches_an_environment_that_demands_signatures(corner):
    # Given a version that was built here and that nobody released
    corner.release("1.0.0", files(corner.configuration, "1.0.0"))
    assert refusal(corner, "v1.0.0") == "unsigned"

    # When it is released, with its rollout
    answer = released(corner, "1.0.0", "--to", "production")

    # Then it is live, by the digest that was signed
    assert answer.status == 0, answer.err
    sealed = next(one["digest"] for one in answer.json["products"] if one["kind"] == "artifact")
    check_live(corner, sealed)

    # And a second version that was released is refused by whoever does not believe its key, its source or its bytes
    corner.release("1.1.0", files(corner.configuration, "1.1.0"))
    second = released(corner, "1.1.0").json
    assert second["phase"] == "completed"
    other = corner.configuration.replace("acme/corner", "acme/other")
    (corner.folder / "fairway.yaml").write_text(other)
    assert refusal(corner, "v1.1.0") == "source-refused"
    (corner.folder / "fairway.yaml").write_text(corner.configuration)
    public = corner.folder / "release-keys/release.pub"
    mine = public.read_text()
    corner.fairway("keys", "create", "other", "--recipient", str(corner.identity.to_public()))
    public.write_text((corner.folder / "release-keys/other.pub").read_text())
    assert refusal(corner, "v1.1.0") == "unknown-key"

    # And so it is where somebody wants to go back to the first one
    public.write_text(mine)
    assert corner.deploy("v1.1.0", "production").status == 0
    public.write_text((corner.folder / "release-keys/other.pub").read_text())
    assert return_refusal(corner, "--to", "1.0.0") == "unknown-key"
    assert return_refusal(corner) == "no-way-back"
    public.write_text(mine)
    _alter(corner.folder / ".fairway/artifacts", "1.0.0")
    assert refusal(corner, sealed) == "altered"
    assert return_refusal(corner, "--to", "1.0.0") == "artifact-altered"
    assert corner.fairway("verify", sealed).status == 1
    assert corner.status("production")["release"] == "1.1.0"


def _alter(artifacts: Path, version: str) -> None:
    path = next(path for path in artifacts.rglob("corner.py") if version in path.read_text())
    folder = path.parent
    folder.chmod(folder.stat().st_mode | stat.S_IWUSR)
    path.chmod(0o644)
    path.write_text(path.read_text().replace(version, "6.6.6"))
