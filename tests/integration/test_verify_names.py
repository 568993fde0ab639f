"""What `fairway verify` says of names that stand for nothing, where there is no key either."""

import pytest

from fairway.cli.options import Options
from fairway.cli.verify import verify
from fairway.domain.errors import UserError
from image_tools import host_of, image_registry

CONFIGURATION = """\
service: hello
release:
  build:
    program: {run: "true", outputs: dist/*}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "fairway.yaml").write_text(CONFIGURATION)
    return Options(config=tmp_path / "fairway.yaml")


def refusal(name, options):
    with pytest.raises(UserError) as caught:
        verify(str(name), options=options)
    return caught.value.code, caught.value.message


def test_a_file_or_version_that_does_not_exist_is_said_before_that_there_is_no_key(project, tmp_path):
    missing = tmp_path / "nope.whl"
    assert refusal("9.9.9", project) == ("unknown-artifact", "'9.9.9' is no file, digest or released version")
    assert refusal(missing, project)[0] == "unknown-artifact"
    assert refusal("sha256:" + "0" * 64, project)[0] == "unknown-digest"
    missing.write_bytes(b"wheel")
    code, message = refusal(missing, project)
    assert (code, "no public key" in message) == ("no-keys", True)


def test_an_image_that_its_registry_does_not_have_is_said_before_that_there_is_no_key(project, tmp_path):
    with image_registry(tmp_path / "server") as server:
        code, message = refusal(f"{host_of(server)}/acme/shop:1.2.0", project)
    assert code == "unknown-image"
    assert "/acme/shop:1.2.0" in message


def test_a_missing_file_outside_of_any_project_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal("nope.whl", Options()) == ("unknown-artifact", "'nope.whl' is no file")
