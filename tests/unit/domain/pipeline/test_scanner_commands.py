"""What a scanner that is called by its name runs."""

import shlex

import pytest

from fairway.domain.pipeline.scanners import SCANNERS, find_scanner, steps_of


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda one: one.name)
def test_every_scanner_writes_its_report_and_leaves_no_place_empty(scanner):
    for steps in (
        steps_of(scanner),
        steps_of(scanner, paths=("src", "a b"), arguments=("--x", "it's")),
        steps_of(scanner, image="shop") if scanner.image else (),
    ):
        for step in steps:
            assert not {"{paths}", "{report}", "{arguments}", "{image}"} & set(shlex.split(step))
            # A scan of an image gets that from its matrix.
            assert "{" not in step.replace("images/shop.{image_platform}", "")
        if steps:
            assert scanner.report in steps[-1]


def test_paths_with_spaces_and_arguments_with_quotes_arrive_as_they_are():
    steps = steps_of(find_scanner("pip-audit"), paths=("a b.txt",), arguments=("--x", "it's"))
    assert steps[0] == "test -e 'a b.txt'"
    words = shlex.split(steps[1])
    assert words[-2:] == ["--requirement", "a b.txt"]
    assert words[-4:-2] == ["--x", "it's"]
    words = shlex.split(steps_of(find_scanner("npm audit"), arguments=("--omit", "it's"))[0])
    assert words[:2] == ["sh", "-c"]
    assert words[-3:] == ["npm", "--omit", "it's"]


def test_no_secret_is_sent_to_anybody_and_none_stays_in_the_report():
    (step,) = steps_of(find_scanner("kingfisher"))
    assert {"--no-validate", "--redact"} <= set(step.split())


def test_what_asks_for_what_is_known_today_is_never_taken_from_the_cache():
    ageing = {one.name for one in SCANNERS if one.ageing}
    assert ageing == {"pip-audit", "uv audit", "npm audit", "semgrep", "trivy", "grype"}
