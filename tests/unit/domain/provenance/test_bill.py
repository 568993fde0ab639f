import json
from functools import cache
from pathlib import Path

import cyclonedx.schema
import pytest
from jsonschema_rs import Draft7Validator, Registry

from fairway.domain.provenance.bill import Component, bill_of, read_locks

DIGEST = "sha256:" + "a" * 64

UV = """
version = 1
[[package]]
name = "shop"
version = "1.0.0"
source = { editable = "." }
[[package]]
name = "Typing_Extensions"
version = "4.12.2"
source = { registry = "https://pypi.org/simple" }
"""
NPM = """{"lockfileVersion": 3, "packages": {"": {"name": "web", "version": "1.0.0"},
 "node_modules/@scope/a": {"version": "2.0.0"}, "node_modules/b/node_modules/c": {"version": "3.0.0"},
 "node_modules/linked": {"resolved": "packages/linked", "link": true}}}"""
GO = """github.com/pkg/errors v0.9.1 h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=
github.com/pkg/errors v0.9.1/go.mod h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0=
"""
CARGO = """
[[package]]
name = "serde"
version = "1.0.200"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "ddc6f9cc94d67c0e21aaf7eda3a010fd3af78ebf6e096aa6e2e13c79749cce4f"
[[package]]
name = "own"
version = "0.1.0"
"""


def urls(files):
    return sorted(one.url for one in read_locks(files))


def test_each_kind_of_lock_file_tells_what_was_resolved():
    assert urls({"uv.lock": UV}) == ["pkg:pypi/typing-extensions@4.12.2"]
    assert urls({"web/package-lock.json": NPM}) == ["pkg:npm/%40scope/a@2.0.0", "pkg:npm/c@3.0.0"]
    assert urls({"go.sum": GO}) == ["pkg:golang/github.com/pkg/errors@v0.9.1"]
    assert urls({"Cargo.lock": CARGO}) == ["pkg:cargo/serde@1.0.200"]
    pins = "requests==2.32.3 \\\n    --hash=sha256:aa\nidna>=3\nurllib3[socks]==2.2.1 ; python_version > '3'\n"
    assert urls({"requirements.txt": pins}) == ["pkg:pypi/requests@2.32.3", "pkg:pypi/urllib3@2.2.1"]


def test_a_lock_file_that_cannot_be_read_adds_nothing_and_hides_no_other():
    assert urls({"uv.lock": "[[package", "package-lock.json": "[]", "go.sum": GO}) == [
        "pkg:golang/github.com/pkg/errors@v0.9.1"
    ]


def test_the_same_components_make_the_same_bill_in_whatever_order_they_come():
    parts = [Component("npm", "b", "1"), Component("npm", "a", "1", "sha256:" + "0" * 64)]
    digest = "sha256:" + "a" * 64
    first, second = bill_of("shop", "1.0.0", digest, parts), bill_of("shop", "1.0.0", digest, parts[::-1])
    assert first == second
    assert [one["name"] for one in first["components"]] == ["a", "b"]
    assert first["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]
    assert bill_of("shop", "1.0.1", digest, parts)["serialNumber"] != first["serialNumber"]


@cache
def cyclonedx_schema():
    """The schema of CycloneDX 1.6, with those that it leads to, as its own library ships them."""
    folder = Path(cyclonedx.schema.__file__).parent / "_res"
    named = {name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text()) for name in ("spdx", "jsf-0.82")}
    resources = [(f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", one) for name, one in named.items()]
    bom = json.loads((folder / "bom-1.6.SNAPSHOT.schema.json").read_text())
    return Draft7Validator(bom, registry=Registry(resources), validate_formats=True)


@pytest.mark.parametrize(
    ("path", "text", "ecosystem"),
    [
        ("uv.lock", UV, "pypi"),
        ("poetry.lock", UV, "pypi"),
        ("pylock.toml", '[[packages]]\nname = "Idna"\nversion = "3.10"\n', "pypi"),
        ("requirements.txt", "requests==2.32.3\nzope.interface==7.0\n", "pypi"),
        ("package-lock.json", NPM, "npm"),
        ("npm-shrinkwrap.json", NPM, "npm"),
        ("go.sum", GO, "golang"),
        ("Cargo.lock", CARGO, "cargo"),
    ],
)
def test_a_bill_of_each_ecosystem_is_one_by_the_schema_of_cyclonedx(path, text, ecosystem):
    bill = bill_of("shop", "1.0.0-rc.1+build.5", DIGEST, read_locks({path: text}))
    assert [str(one) for one in cyclonedx_schema().iter_errors(bill)] == []
    assert bill["components"]
    assert {one["purl"].partition("/")[0] for one in bill["components"]} == {f"pkg:{ecosystem}"}


def test_a_bill_without_components_and_one_of_odd_names_are_bills_by_the_schema_too():
    odd = [Component("npm", "@a/ü b#c", "1.0.0 || 2"), Component("cargo", "x", "1", "md5:abc")]
    for components in ([], odd, [Component("pypi", f"p{number}", "1") for number in range(1000)]):
        bill = bill_of("shop", "", DIGEST, components)
        assert [str(one) for one in cyclonedx_schema().iter_errors(bill)] == []


def test_the_schema_refuses_what_is_no_bill():
    bill = bill_of("shop", "1.0.0", DIGEST, [Component("npm", "a", "1", "sha256:" + "0" * 64)])
    for broken in (
        {**bill, "serialNumber": "1"},
        {**bill, "components": [{"name": "a"}]},
        {**bill, "components": [{**bill["components"][0], "hashes": [{"alg": "SHA256", "content": "0" * 64}]}]},
        {**bill, "nonsense": 1},
    ):
        assert not cyclonedx_schema().is_valid(broken)
