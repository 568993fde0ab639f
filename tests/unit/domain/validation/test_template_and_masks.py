"""Names in braces, and secrets that no output shows."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from fairway.domain.validation.findings import QUOTED, quoted
from fairway.domain.validation.template import UnknownName, fill, mask, names_in


def test_a_text_that_is_nothing_but_a_name_becomes_the_value_itself():
    assert fill("{{ID}}", {"ID": 7}) == 7
    assert fill("/items/{{ ID }}", {"ID": 7}) == "/items/7"
    assert fill({"{{K}}": ["{{ID}}", 1, None]}, {"K": "key", "ID": 7}) == {"key": [7, 1, None]}


def test_what_a_value_says_is_not_filled_in_again():
    assert fill("{{A}}!", {"A": "{{B}}", "B": "secret"}) == "{{B}}!"


def test_a_name_that_stands_for_nothing_is_no_empty_text():
    with pytest.raises(UnknownName, match="NOBODY"):
        fill("x{{NOBODY}}", {})
    assert names_in({"a": ["{{B}} {{C}}"], "{{D}}": 1}) == {"B", "C", "D"}


@pytest.mark.parametrize("secret", ["p4ss wörd/4", 'with "quotes" and \\', "plain-token"])
def test_a_secret_is_hidden_in_every_shape_in_which_it_travels(secret):
    shapes = [secret, quote(secret, safe=""), quote_plus(secret), base64.b64encode(secret.encode()).decode()]
    for shape in [*shapes, repr(secret), json.dumps(secret)]:
        shown = mask(f"came: {shape}.", [("KEY", secret)])
        assert "<KEY>" in shown
        assert shape.strip("'\"") not in shown


def test_a_secret_of_several_lines_is_hidden_where_an_answer_is_quoted_on_one():
    assert mask(quoted("key: first line\n  second line!"), [("KEY", "first line\n  second line")]) == "'key: <KEY>!'"


def test_a_secret_that_was_cut_with_the_answer_that_held_it_is_hidden_as_well():
    secret = "0123456789abcdef"
    body = "x" * (QUOTED - 7) + secret
    assert mask(quoted(body), [("KEY", secret)]) == f"'{'x' * (QUOTED - 7)}<KEY>…'"
    assert mask("refused: 0123456", [("KEY", secret)]) == "refused: <KEY>"
    assert mask("at 012… and 0123…", [("KEY", secret)]) == "at 012… and <KEY>…"


def test_of_two_secrets_the_longer_one_is_hidden_first():
    assert mask("abcd-efgh", [("A", "abcd"), ("B", "abcd-efgh")]) == "<B>"


def test_a_word_of_three_letters_is_not_blanked_out_everywhere():
    assert mask("the item", [("KEY", "the")]) == "the item"
