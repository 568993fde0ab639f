"""Names inside Envoy that must map back to ours without doubt."""

from urllib.parse import quote, unquote

MAIN = "main"
PREVIEW = "preview"
REVISION_HEADER = "x-fairway-revision"
MIRROR_HEADER = "x-fairway-mirrored"
METADATA = "fairway"
ANSWER_HEADER = "x-fairway-answer"
ANSWER = f"%UPSTREAM_METADATA({METADATA}:revision)% %RESP(:status)%"
"""On its way through Envoy an answer says which revision gave it, and its status."""


def joint_cluster(first: str, second: str) -> str:
    """Name of the aggregate that serves from `first` and falls back on `second`; `+` stands in no revision id."""
    return f"{first}+{second}"


def reads_cluster(first: str, second: str) -> str:
    """Name of the aggregate that brings a policy of its own for requests that only read."""
    return f"{first}+{second}+reads"


def endpoints_file(revision: str) -> str:
    """File name of the revision's endpoints."""
    return f"endpoints-{revision}.json"


def to_tag(text: str) -> str:
    """The text without a dot, because Envoy joins tag values with dots into one name."""
    return quote(text, safe="").replace(".", "%2E")


def from_tag(tag: str) -> str:
    """The text that `to_tag` was given."""
    return unquote(tag)
