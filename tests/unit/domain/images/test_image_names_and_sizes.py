import pytest

from fairway.domain.errors import UserError
from fairway.domain.images.reference import is_loopback, looks_like_reference, parse_reference
from fairway.domain.images.spec import parse_size, show_size

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("text", "host", "path", "tag", "digest"),
    [
        ("registry.example.org/shop", "registry.example.org", "shop", None, None),
        ("localhost/acme/shop:1.2.0", "localhost", "acme/shop", "1.2.0", None),
        ("127.0.0.1:5000/a/b/c-d_e.f:v1_2", "127.0.0.1:5000", "a/b/c-d_e.f", "v1_2", None),
        (f"[::1]:5000/shop@{DIGEST}", "[::1]:5000", "shop", None, DIGEST),
        (f"ghcr.io/acme/shop:1@{DIGEST}", "ghcr.io", "acme/shop", "1", DIGEST),
    ],
)
def test_a_reference_has_its_parts_and_is_written_as_it_was(text, host, path, tag, digest):
    found = parse_reference(text)
    assert (found.host, found.path, found.tag, found.digest) == (host, path, tag, digest)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop",
        "shop:1.0",
        "library/nginx:1",
        "registry.example.org/Shop:1",
        "registry.example.org/shop:",
        "registry.example.org/shop:-1",
        "registry.example.org//shop",
        "https://registry.example.org/shop:1",
        "registry.example.org/shop@sha256:abc",
        "registry.example.org/shop:1\n",
        "user@registry.example.org/shop",
    ],
)
def test_what_is_no_reference_or_names_no_registry_is_refused(text):
    with pytest.raises(UserError, match="is no name of an image"):
        parse_reference(text)


def test_paths_of_files_versions_and_digests_are_not_taken_for_images():
    for text in ("dist/shop.whl", "1.2.0", DIGEST, "dist/a.b/shop", "registry.example.org/shop"):
        assert not looks_like_reference(text)
    assert looks_like_reference("registry.example.org/shop:1.2.0")


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1:5000", True),
        ("127.9.9.9", True),
        ("localhost:80", True),
        ("[::1]:5000", True),
        ("[::1]", True),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org:80", False),
        ("10.0.0.1:5000", False),
        ("registry.example.org", False),
    ],
)
def test_only_this_machine_is_spoken_to_without_tls(host, answer):
    assert is_loopback(host) is answer


@pytest.mark.parametrize(
    ("text", "size"),
    [("25MB", 25_000_000), ("1.5 GiB", 3 << 29), ("100", 100), ("7 kb", 7000), ("12 apples", None), ("", None)],
)
def test_a_size_is_a_number_with_a_unit(text, size):
    assert parse_size(text) == size


def test_sizes_are_shown_by_thousands():
    assert [show_size(one) for one in (999, 1500, 25_000_000, 3_000_000_000)] == [
        "999 B",
        "1.5 kB",
        "25.0 MB",
        "3.0 GB",
    ]
