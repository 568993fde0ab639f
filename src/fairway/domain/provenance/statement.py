"""Statements by in-toto 1 about artifacts: provenance by SLSA 1, and bills of materials.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and https://slsa.dev/spec/v1.0/provenance
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
BILL = "https://cyclonedx.org/bom"
#: What the external parameters of a provenance mean: a task of a release, as the reference describes it.
BUILD_TYPE = "urn:fairway:release-task:1"
#: Who built: this program, on the machine of whoever ran the release.
BUILDER = "urn:fairway:builder:local"
#: The digest over the content of a sealed artifact, which is a folder; in-toto leaves names of algorithms open.
TREE = "fairwayTree1"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about.

    Attributes:
        digest: `sha256:<64 hex digits>`.
        tree: the digest is over a folder, not over the bytes of one file.
    """

    name: str
    digest: str
    tree: bool = False

    def descriptor(self) -> dict[str, Any]:
        """As in-toto writes it."""
        return {"name": self.name, "digest": {TREE if self.tree else "sha256": self.digest.removeprefix("sha256:")}}


@dataclass(frozen=True, slots=True)
class Build:
    """How something was built.

    Attributes:
        source: address of the repository; empty if it has none.
        parameters: what decided about the outcome, as the user wrote it.
        materials: what was built before and used.
        invocation: names this execution.
        began, ended: seconds since the epoch, UTC.
    """

    source: str
    commit: str
    tag: str
    parameters: Mapping[str, Any]
    materials: Sequence[Subject]
    invocation: str
    began: float
    ended: float
    program: str


def provenance(subject: Subject, build: Build) -> bytes:
    """The payload of a provenance."""
    source = f"git+{build.source}@refs/tags/{build.tag}" if build.source else f"git:{build.commit}"
    dependencies = [{"uri": source, "digest": {"gitCommit": build.commit}}]
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": dict(build.parameters),
            "internalParameters": {},
            "resolvedDependencies": [*dependencies, *(one.descriptor() for one in build.materials)],
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"fairway": build.program}},
            "metadata": {
                "invocationId": build.invocation,
                "startedOn": _time(build.began),
                "finishedOn": _time(build.ended),
            },
        },
    }
    return statement(subject, PROVENANCE, predicate)


def statement(subject: Subject, kind: str, predicate: Mapping[str, Any]) -> bytes:
    """The payload of a statement; the same statement always has the same bytes."""
    body = {"_type": STATEMENT, "subject": [subject.descriptor()], "predicateType": kind, "predicate": predicate}
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def is_about(found: Mapping[str, Any], subject: Subject) -> bool:
    """A statement names this subject by its digest, whatever it calls it."""
    (wanted,) = subject.descriptor()["digest"].items()
    subjects = found.get("subject")
    return isinstance(subjects, list) and any(
        isinstance(one, dict) and isinstance(one.get("digest"), dict) and wanted in one["digest"].items()
        for one in subjects
    )


def source_of(found: Mapping[str, Any]) -> str:
    """The repository that a provenance names, without the tag; empty if it names none."""
    definition = _inside(_inside(found, "predicate"), "buildDefinition")
    dependencies = definition.get("resolvedDependencies")
    for one in dependencies if isinstance(dependencies, list) else ():
        uri = one.get("uri") if isinstance(one, dict) else None
        if isinstance(uri, str) and uri.startswith("git+"):
            return uri.removeprefix("git+").rpartition("@refs/")[0]
    return ""


def commit_of(found: Mapping[str, Any]) -> str:
    """The commit that a provenance names; empty if it names none."""
    definition = _inside(_inside(found, "predicate"), "buildDefinition")
    dependencies = definition.get("resolvedDependencies")
    for one in dependencies if isinstance(dependencies, list) else ():
        digest = one.get("digest") if isinstance(one, dict) else None
        if isinstance(digest, dict) and isinstance(digest.get("gitCommit"), str):
            return str(digest["gitCommit"])
    return ""


def builder_of(found: Mapping[str, Any]) -> str:
    """Who built, as a provenance says; empty if it does not."""
    builder = _inside(_inside(_inside(found, "predicate"), "runDetails"), "builder")
    return str(builder.get("id", ""))


def _inside(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
