"""What an environment takes of a release whose scans left findings below the level that halts it."""

import json

import pytest
from services import APPLICATION, ENVIRONMENT, configure
from workshop import free_port

REPORT = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "a scanner"}},
            "results": [
                {
                    "ruleId": "S101",
                    "level": "note",
                    "message": {"text": "an assertion"},
                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "corner.py"}}}],
                }
            ],
        }
    ],
}
RELEASE = """\
release:
  security:
    code: {{run: cp {report} report.sarif, scan: {{report: report.sarif, block: warning{waivers}}}}}
"""
WAIVER = ", waivers: [{rule: S101, until: 2099-01-31, reason: a habit}]"


@pytest.fixture
def corner(shop):
    places = {
        name: ENVIRONMENT.format(
            name=name,
            port=free_port(),
            instances=1,
            strategy="{kind: rolling, bake: 0s}",
            analysis="balanced",
            observe="0s",
            more=f"    gates: {{findings: {level}}}\n",
        )
        for name, level in (("staging", "warning"), ("production", "note"))
    }

    def release(version, *, report="found.sarif", waivers=""):
        text = configure(*places.values(), head=RELEASE.format(report=report, waivers=waivers))
        empty = {**REPORT, "runs": [{**REPORT["runs"][0], "results": []}]}
        files = {"found.sarif": json.dumps(REPORT), "clean.sarif": json.dumps(empty), "fairway.yaml": text}
        shop.release(version, files | {"corner.py": APPLICATION.format(version=version, body="pass")})
        return shop.fairway("release", version, "--json")

    shop.make = release
    return shop


def refusal(shop, version, environment):
    """Code and sentence of why it may not go there; nothing was begun."""
    answer = shop.deploy(f"v{version}", environment, "--no-wait")
    assert answer.status == 1, answer.out + answer.err
    assert shop.status(environment)["run"] is None
    return answer.json["error"]["code"], answer.json["error"]["message"]


def test_findings_that_halt_no_release_keep_it_out_of_an_environment_that_wants_none(corner):
    # Given a version that was sealed without a scan
    corner.make("1.0.0", report="no-such-file")
    code, sentence = refusal(corner, "1.0.0", "staging")
    assert (code, "it has not passed scans without findings at warning" in sentence) == ("checks-missing", True)

    # When one is released whose scan left a note
    released = corner.make("1.1.0")

    # Then it may go where no warning is wanted, and not where no note is
    assert released.status == 0, released.err
    code, sentence = refusal(corner, "1.1.0", "production")
    assert (code, "it has not passed scans without findings at note" in sentence) == ("checks-missing", True)
    deployed = corner.deploy("v1.1.0", "staging")
    assert deployed.status == 0, deployed.err
    assert corner.status("staging")["release"] == "1.1.0"

    # And a waiver, or a scan that finds nothing, opens the other one too
    for version, settings in (("1.2.0", {"waivers": WAIVER}), ("1.3.0", {"report": "clean.sarif"})):
        assert corner.make(version, **settings).status == 0
        assert corner.fairway("plan", f"v{version}", "--env", "production", "--json").status == 0


def test_an_image_is_not_deployed_because_nothing_here_runs_images(corner):
    corner.make("1.0.0")
    for command in ("plan", "deploy"):
        answer = corner.fairway(command, "registry.example.org/acme/shop:1.0.0", "--env", "staging", "--json")
        error = answer.json["error"]
        assert (answer.status, error["code"]) == (2, "image-not-run")
        assert error["message"] == (
            "registry.example.org/acme/shop:1.0.0 is a container image, and no target of Fairway runs images"
        )
    assert corner.status("staging")["run"] is None
    assert not (corner.folder / ".fairway/supervisor").exists()
