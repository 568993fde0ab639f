"""Files that were made to do harm, or by accident look as if they were."""

import time

import pytest

from fairway.config import ConfigError, load, render

FRAME = """service: {service}
run: {{command: ./serve}}
environments: {{{name}: {{router: {{kind: envoy, listen: '127.0.0.1:1'}}}}}}
"""


@pytest.fixture
def problems_of(tmp_path):
    def problems(text: str | bytes):
        file = tmp_path / "fairway.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        began = time.monotonic()
        with pytest.raises(ConfigError) as caught:
            load(file)
        assert time.monotonic() - began < 30
        return caught.value.problems

    return problems


def test_a_name_of_ten_kilobytes_is_shortened_in_the_quote(problems_of):
    (problem,) = problems_of(FRAME.format(service="x" * 10_000, name="a"))
    assert "10,000 characters" in problem.message
    assert len(str(problem)) < 500


def test_a_key_of_a_thousand_characters_is_shortened_in_the_key_path(problems_of):
    (problem,) = problems_of(FRAME.format(service="shop", name="x" * 1000))
    assert "1,000 characters" in problem.key_path
    assert len(str(problem)) < 600


def test_a_name_with_a_line_break_stays_in_one_line_of_the_report(problems_of):
    problems = problems_of(FRAME.format(service='"sh\\nop"', name='"a\\nb"'))
    assert render(problems).count("\n") == len(problems) - 1 == 1
    assert r'"sh\nop"' in problems[0].message


def test_terminal_escapes_in_a_value_do_not_reach_the_terminal(problems_of):
    (problem,) = problems_of(FRAME.format(service='"\\e[31mred\\a"', name="a"))
    assert "\x1b" not in str(problem)
    assert "\x07" not in str(problem)


def test_aliases_that_grow_without_bound_are_stopped(problems_of):
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
    (problem,) = problems_of(f"l0: &l0 [x]\n{levels}")
    assert "aliases are expanded" in problem.message


def test_aliases_that_nest_without_bound_are_stopped(problems_of):
    levels = "".join(f"l{n}: &l{n} [*l{n - 1}]\n" for n in range(1, 100))
    (problem,) = problems_of(f"l0: &l0 [x]\n{levels}")
    assert "24 levels" in problem.message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_stopped(problems_of, opening):
    (problem,) = problems_of(opening * 20_000)
    assert "nested more than 24 levels" in problem.message


def test_too_many_values_are_stopped(problems_of):
    (problem,) = problems_of("a: [" + "1," * 20_000 + "]")
    assert "more than 10,000 values" in problem.message


def test_a_large_file_is_not_read(problems_of):
    (problem,) = problems_of("a: " + "x" * 300_000)
    assert "larger than 256 kB" in problem.message


def test_a_number_of_a_thousand_digits_is_refused_like_any_other_text(problems_of):
    problems = problems_of(FRAME.format(service="shop", name="a").replace("router", f"instances: {'9' * 1000}, router"))
    assert [problem.key_path for problem in problems] == ["environments.a.instances"]


def test_binary_files_are_refused(problems_of):
    (problem,) = problems_of(b"\x7fELF\x02\x01\x01\x00\xff\xfe")
    assert "UTF-8" in problem.message


def test_a_password_in_the_database_url_is_never_shown(problems_of):
    text = FRAME.format(service="shop", name="a")
    for url in ("mysql://root:geheim@db/x", "geheim", "postgresql:geheim", "'geheim: x'"):
        assert "geheim" not in render(problems_of(f"{text}database: {url}\n")).partition("database URL that begins")[0]


def test_half_a_character_is_refused_and_a_pair_of_halves_is_one(problems_of):
    (problem,) = problems_of(FRAME.format(service="shop", name="a").replace("./serve", r'"\ud83d serve"'))
    assert "half of a character" in problem.message
    (problem,) = problems_of(FRAME.format(service=r'"\ud83d\ude00"', name="a"))
    assert '"😀" is not a valid name' in problem.message
