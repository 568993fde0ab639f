"""Whatever stands in a text or a file that we read, the answer is a value or an error of ours, never a fault.

FUZZ_EXAMPLES says how many examples each parser gets; `make test-faults` gives many.
"""

import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway.adapters.artifacts.local import manifest
from fairway.adapters.artifacts.local.places import Places
from fairway.adapters.load.answer import Answer
from fairway.adapters.metrics.conditions import CelConditions
from fairway.adapters.routers.envoy.addresses import parse_address
from fairway.adapters.routers.envoy.ledger import load_memory
from fairway.adapters.stores.sql.journal import read_event
from fairway.adapters.supervisor.files import read_json
from fairway.adapters.targets.local.command import split_command
from fairway.adapters.targets.local.records import _read as read_records
from fairway.bootstrap.kept import _read as read_kept
from fairway.bootstrap.project import recall
from fairway.config.durations import parse_duration
from fairway.config.types import parse_listen
from fairway.domain.errors import FairwayError
from fairway.domain.provenance.bill import read_locks
from fairway.domain.provenance.envelope import read_envelope
from fairway.domain.validation.exposition import Malformed, parse_exposition
from fairway.domain.versioning.calver import parse_calver
from fairway.domain.versioning.line import parse_range
from fairway.domain.versioning.message import parse_message
from fairway.domain.versioning.pep440 import parse_pep440
from fairway.domain.versioning.semver import parse_semver

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

#: Text of the characters that mean something to one parser or another, and any text.
texts = st.text(alphabet=st.sampled_from(string.printable + "äß\u202e\0\udcff"), max_size=80) | st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)

#: Each with what it may raise; everything else is a fault.
PARSERS = {
    "semantic version": (parse_semver, FairwayError),
    "version of PEP 440": (parse_pep440, FairwayError),
    "calendar version": (parse_calver, FairwayError),
    "range of versions": (parse_range, FairwayError),
    "commit message": (parse_message, ()),
    "duration": (parse_duration, ()),
    "address to listen on": (parse_listen, ()),
    "address of the router": (parse_address, FairwayError),
    "command": (split_command, FairwayError),
    "condition": (lambda text: CelConditions().compile(text).ask({"a": 1.0}), FairwayError),
    "metrics": (parse_exposition, Malformed),
    "metrics in the open format": (lambda text: parse_exposition(text, openmetrics=True), Malformed),
    "envelope": (read_envelope, ValueError),
    "manifest": (manifest.decode, ValueError),
    "event": (lambda text: read_event("r-1", 1, "Paused", text), FairwayError),
}


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_of_text_answers_or_refuses_in_its_own_words(name: str) -> None:
    parse, refusals = PARSERS[name]
    allowed = refusals if isinstance(refusals, tuple) else (refusals,)

    @FUZZ
    @given(texts | json_values.map(json.dumps))
    def holds(text: str) -> None:
        try:
            parse(text)
        except allowed as error:
            assert str(error)  # noqa: PT017 -- what it says is the point

    holds()


@pytest.mark.parametrize(
    "name", ["requirements.txt", "uv.lock", "package-lock.json", "Cargo.lock", "go.sum", "pnpm-lock.yaml"]
)
def test_a_lock_file_that_cannot_be_read_adds_nothing(name: str) -> None:
    @FUZZ
    @given(texts | json_values.map(json.dumps))
    def holds(text: str) -> None:
        read_locks({name: text})

    holds()


@FUZZ
@given(st.binary(max_size=300), st.integers(1, 50), st.booleans())
def test_an_answer_over_http_in_any_pieces_is_complete_or_malformed(data: bytes, size: int, whole: bool) -> None:
    content = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + data if whole else data
    answer = Answer(header=b"x-fairway-revision", bodiless=False)
    for start in range(0, len(content), size):
        if answer.feed(content[start : start + size]) != "incomplete":
            return
    assert answer.end() in ("complete", "incomplete")


READERS = {
    "supervisor": ("status.json", read_json, ()),
    "routes": ("state.json", lambda path: load_memory(path.parent), FairwayError),
    "records": ("records.json", read_records, FairwayError),
    "configuration": ("configuration.json", lambda path: read_kept(path, "digest"), ()),
    "artifact": (
        ".store/one.json",
        lambda path: Places(path.parents[2], path.parents[1].name).read("one"),
        FairwayError,
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_of_ours_that_was_spoilt_is_refused_or_taken_for_none(name: str, tmp_path: Path) -> None:
    file, read, refusals = READERS[name]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    allowed = refusals if isinstance(refusals, tuple) else (refusals,)

    @FUZZ
    @given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
    def holds(content: bytes) -> None:
        path.write_bytes(content)
        try:
            read(path)
        except allowed as error:
            assert str(path) in str(error)  # noqa: PT017 -- that it names the file is the point

    holds()


@FUZZ
@given(st.binary(max_size=60))
def test_a_spoilt_record_of_the_project_is_made_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fairway.yaml").write_text(
        "service: shop\nrun: {command: serve --port {port}}\nbuild: {steps: []}\n"
        "environments: {production: {router: {kind: envoy, listen: '127.0.0.1:8000'}}}\n".replace(
            "{command: serve --port {port}}", "{command: 'serve --port {port}'}"
        )
    )
    (tmp_path / ".fairway").mkdir(exist_ok=True)
    (tmp_path / ".fairway/project").write_bytes(content)
    if content.count(b"\n") < 2 or b"\xff" in content:
        assert recall(tmp_path)[1] == "shop"
    else:
        recall(tmp_path)
