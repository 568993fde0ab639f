"""Headers of a measurement take their secrets from the environment that is measured."""

from pathlib import Path

import pytest

from fairway.bootstrap.bench import BenchProject, open_bench
from fairway.domain.errors import UserError

YAML = """\
service: shop
run: {command: "serve {port}"}
environments:
  staging:
    router: {kind: envoy, listen: "127.0.0.1:8100"}
    secrets: {TOKEN: {file: staging-token}}
  production:
    router: {kind: envoy, listen: "127.0.0.1:8000"}
bench: {headers: {Authorization: "Bearer ${TOKEN}", X-Place: "${AREA}"}}
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BenchProject:
    (tmp_path / "fairway.yaml").write_text(YAML)
    (tmp_path / "staging-token").write_text("token-in-a-file\n")
    (tmp_path / "staging-token").chmod(0o600)
    monkeypatch.setenv("TOKEN", "token-in-a-variable")
    monkeypatch.setenv("AREA", "west")
    return open_bench(tmp_path / "fairway.yaml")


def headers(bench: BenchProject, environment: str) -> tuple[str, ...]:
    return bench.fill_in(bench.spec.load, bench.environment(environment)).headers


def test_a_secret_of_the_environment_goes_before_a_variable_of_that_name(bench: BenchProject):
    assert headers(bench, "staging") == ("Authorization: Bearer token-in-a-file", "X-Place: west")
    assert headers(bench, "production") == ("Authorization: Bearer token-in-a-variable", "X-Place: west")


def test_a_value_that_is_not_there_stops_the_measurement(bench: BenchProject, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AREA")
    with pytest.raises(UserError, match="names the variable AREA, which is not set"):
        headers(bench, "staging")


def test_a_secret_that_others_may_read_stops_it_too(bench: BenchProject, tmp_path: Path):
    (tmp_path / "staging-token").chmod(0o644)
    with pytest.raises(UserError, match="may be read by others"):
        headers(bench, "staging")


def test_the_controller_gets_the_variables_that_secrets_need_and_no_others(tmp_path: Path):
    text = YAML.replace("{file: staging-token}", "{command: vault read, variables: [VAULT_TOKEN]}")
    text = text.replace("bench:", "validation: {secrets: [PLAIN]}\nbench:")
    (tmp_path / "fairway.yaml").write_text(text.replace("staging-token", "sealed.age"))
    spec = open_bench(tmp_path / "fairway.yaml").project.spec
    assert [one.suite.settings.needed for one in spec.environments] == [{"PLAIN", "VAULT_TOKEN"}, {"PLAIN"}]
