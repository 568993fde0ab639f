"""Reports, manifests, answers and files that others write: understood, or refused in our own words, never a fault.

Besides any text, each reader gets a good document in which one thing was replaced, left out or nested without end:
that comes further into a reader than noise does. FUZZ_EXAMPLES says how many examples each gets.
"""

import base64
import copy
import json
import os
import string
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway.adapters.checks import encoding, jsonpath
from fairway.adapters.images.credentials import kept
from fairway.adapters.metrics.prometheus import PrometheusSource
from fairway.adapters.publishers import npm, pypi
from fairway.adapters.publishers.http import understood
from fairway.adapters.sources.commit_lines import read_kept
from fairway.domain.errors import FairwayError
from fairway.domain.images.manifests import INDEX, MANIFEST, read_document
from fairway.domain.images.reference import parse_reference
from fairway.domain.images.spec import parse_size
from fairway.domain.insight import histogram
from fairway.domain.pipeline.findings import read_sarif
from fairway.domain.validation.secret import parse_entry
from fairway.domain.validation.template import UnknownName, fill, mask, names_in
from fairway.domain.versioning.mapping import from_container
from fairway.domain.versioning.markdown import web_address
from fairway.domain.versioning.references import cut_request, find_issues, find_requests
from fairway.domain.versioning.squash import split_squash
from fairway.usecases.init.procfile import translate

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
#: More lists in one another than any reader can follow.
DEEP = "[" * 100_000

texts = st.text(alphabet=st.sampled_from(string.printable + "äß\u202e\0\udcff"), max_size=80) | st.text(max_size=40)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

binaries = st.binary(max_size=60)

DIGEST = "sha256:" + "ab" * 32
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 3}
GOOD_MANIFEST = {
    "schemaVersion": 2,
    "mediaType": MANIFEST,
    "config": LAYER,
    "layers": [LAYER, LAYER],
    "subject": LAYER,
    "annotations": {"a": "b"},
}
GOOD_INDEX = {"mediaType": INDEX, "manifests": [LAYER | {"platform": {"os": "linux", "architecture": "amd64"}}]}
GOOD_SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "x", "rules": [{"id": "r", "defaultConfiguration": {"level": "note"}}]}},
            "invocations": [{"executionSuccessful": True}],
            "results": [
                {
                    "ruleId": "r",
                    "message": {"text": "m"},
                    "suppressions": [{"status": "rejected"}],
                    "properties": {"uv/aliases": ["CVE-1"]},
                    "locations": [
                        {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 3}}}
                    ],
                }
            ],
        }
    ],
}
GOOD_SERIES = {"resultType": "vector", "result": [{"metric": {"job": "a"}, "value": [1.0, "2"]}]}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, one in inner for found in places(one, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn, good: Any) -> Any:
    """A good document with one thing replaced, or left out."""
    path = draw(st.sampled_from(places(good)))
    if not path:
        return draw(json_values)
    changed = copy.deepcopy(good)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if draw(st.booleans()):
        holder[path[-1]] = draw(json_values)
    else:
        del holder[path[-1]]
    return changed


def of(*good: Any) -> st.SearchStrategy[str]:
    """Texts of spoilt documents, any JSON, any text."""
    documents = [spoilt(one).map(json.dumps) for one in good]
    return st.one_of(*documents, json_values.map(json.dumps), texts, st.just(json.dumps(good[0])))


class Prometheus(PrometheusSource):
    """A source that is answered as told."""

    def __init__(self, body: str) -> None:
        super().__init__(url="http://127.0.0.1:1")
        self._body = body.encode("utf-8", "replace")

    def _ask(self, parameters: object) -> tuple[int, bytes]:
        return 200, self._body


def read_credentials(text: str, folder: Path) -> object:
    (folder / "config.json").write_bytes(text.encode("utf-8", "replace"))
    return kept({"DOCKER_CONFIG": str(folder), "HOME": str(folder), "PATH": str(folder)})("example.org/a/b")


def fill_twice(text: str) -> None:
    names_in([text, {text: text}])
    fill({"a": [text]}, {"a": 1, "b.c": "x"})


#: Each with its texts, and what it may raise; everything else is a fault.
READERS: dict[str, tuple[Callable[[str], object], st.SearchStrategy[str], tuple[type[Exception], ...]]] = {
    "manifest of an image": (
        lambda text: read_document(text.encode("utf-8", "replace")),
        of(GOOD_MANIFEST, GOOD_INDEX),
        (ValueError,),
    ),
    "report of a scanner": (read_sarif, of(GOOD_SARIF), (ValueError,)),
    "answer of Prometheus": (
        lambda text: Prometheus(text).read("up", at=1.0),
        of({"status": "success", "data": GOOD_SERIES}),
        (FairwayError,),
    ),
    "reference of an image": (parse_reference, texts, (FairwayError,)),
    "size of an image": (parse_size, texts, ()),
    "tag of an image": (from_container, texts, (FairwayError,)),
    "histogram": (histogram.decode, texts | binaries.map(lambda data: base64.b64encode(data).decode()), (ValueError,)),
    "commits that were kept": (read_kept, texts, (ValueError,)),
    "file of secrets": (lambda text: parse_entry(text, "NAME"), texts | texts.map(lambda text: f"NAME={text}"), ()),
    "template": (fill_twice, texts | texts.map(lambda text: f"{{{{{text}}}}}"), (UnknownName,)),
    "secrets in a text": (lambda text: mask(text, [("A", text[:5]), ("B", "\ud800x")]), texts, ()),
    "path into an answer": (lambda text: jsonpath.find(text, {"a": [1, {"b": 2}]}), texts, (FairwayError,)),
    "squashed commit": (lambda text: split_squash(text, text), texts, ()),
    "references of a commit": (
        lambda text: (cut_request(text), find_requests(text, text), find_issues(text, text)),
        texts,
        (),
    ),
    "address of a remote": (web_address, texts, ()),
    "line of a Procfile": (lambda text: translate(text, in_venv=True), texts, ()),
}


@pytest.mark.parametrize("name", READERS)
def test_what_others_wrote_is_understood_or_refused(name: str) -> None:
    read, given_texts, refusals = READERS[name]

    @FUZZ
    @given(given_texts)
    def holds(text: str) -> None:
        try:
            read(text)
        except refusals as error:
            assert str(error)  # noqa: PT017 -- what it says is the point

    holds()


GOOD_NPM = {"versions": {"1.0.0": {"dist": {"integrity": "sha512-x", "shasum": "ab"}}}}
GOOD_PYPI = {"files": [{"filename": "a-1.tar.gz", "url": "a", "hashes": {"sha256": "ab"}}]}


@FUZZ
@given(text=of(GOOD_NPM, GOOD_PYPI) | st.just(DEEP[:5000]), kind=st.sampled_from(["text/html", "application/json"]))
def test_what_a_registry_lists_is_understood_or_waited_for(text: str, kind: str) -> None:
    for read in (lambda: npm._there(json.loads(text), "1.0.0"), lambda: pypi._listed(text, "http://a/", kind)):
        try:
            understood(read, "the registry", "http://a/b")
        except FairwayError as error:
            assert error.code == "registry-answer"  # noqa: PT017 -- the code is the point


@pytest.mark.parametrize("name", ["manifest of an image", "report of a scanner", "answer of Prometheus"])
def test_lists_without_end_in_one_another_are_refused_like_any_other_noise(name: str) -> None:
    read, _, refusals = READERS[name]
    with pytest.raises(refusals):
        read(DEEP)


def test_credentials_nested_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FairwayError):
        read_credentials(DEEP, tmp_path)


@FUZZ
@given(text=of({"auths": {"example.org": {"auth": "YTpi"}}, "credHelpers": {"x": "y"}}))
def test_credentials_for_registries_are_found_or_refused(tmp_path: Path, text: str) -> None:
    with suppress(FairwayError):
        read_credentials(text, tmp_path)


@FUZZ
@given(body=binaries, coding=texts | st.sampled_from(["gzip", "deflate", "gzip, deflate", "br"]), packed=st.booleans())
def test_a_body_is_decoded_or_refused_and_never_grows_beyond_its_bound(body: bytes, coding: str, packed: bool) -> None:
    largest = 1000
    try:
        plain = encoding.decode(zlib.compress(body * 50) if packed else body, coding, largest)
    except (zlib.error, encoding.TooLarge):
        return
    assert len(plain) <= max(largest, len(body) * 50)
