"""Registries of packages behind TLS: a certificate that is not accepted is told at once."""

import pytest
import trustme
from secure_server import identity, plain_answer, secure_server

from fairway.adapters.publishers.npm import NpmRegistry
from fairway.adapters.publishers.pypi import PypiRegistry
from fairway.domain.errors import PermanentError, UserError
from fairway.domain.pipeline.products import Product
from fairway.ports.pipeline import Parcel
from packages import make_npm, make_wheel


@pytest.fixture(params=["pypi", "npm"])
def asked(request, tmp_path):
    """Asks a registry at an address what it has."""
    kind, make = (PypiRegistry, make_wheel) if request.param == "pypi" else (NpmRegistry, make_npm)
    path = make(tmp_path, "shop", "1.0.0")
    parcel = Parcel(Product(path.name, f"sha256:{'0' * 64}", 1), str(path), "1.0.0")
    return lambda port: kind(url=f"https://127.0.0.1:{port}/", timeout=30.0).observe(parcel)


def empty(connection):
    plain_answer(connection, b'{"files": [], "versions": {}}', "content-type: application/json\r\n")


def test_an_authority_of_ones_own_is_named_by_a_variable_and_without_it_nothing_is_believed(
    asked, tmp_path, monkeypatch
):
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    context, authority = identity("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "own.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    with secure_server(context, empty) as port:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
        assert asked(port).state == "absent"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
        with pytest.raises(PermanentError, match="has a certificate that is not accepted: unable to get") as error:
            asked(port)
        assert (error.value.code, f"https://127.0.0.1:{port} " in error.value.message) == ("registry-certificate", True)
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
        with pytest.raises(UserError, match="authorities or the proxy") as mistake:
            asked(port)
        assert "'/nowhere.pem'" in mistake.value.hint
