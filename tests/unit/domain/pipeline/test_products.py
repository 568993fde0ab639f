import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.domain.pipeline.products import cache_key, matches, select


@pytest.mark.parametrize(
    ("path", "pattern", "means"),
    [
        ("dist/a.whl", "dist/*.whl", True),
        ("dist/sub/a.whl", "dist/*.whl", False),
        ("dist/sub/a.whl", "dist/**/*.whl", True),
        ("dist/a.whl", "dist/**/*.whl", True),
        ("dist/sub/a.whl", "dist", True),
        ("dist/sub/a.whl", "dist/", True),
        ("dist/sub/a.whl", "./dist/**", True),
        ("distant/a.whl", "dist", False),
        ("a.whl", "*.whl", True),
        ("xa.whl", "a.whl", False),
        ("awhl", "a.whl", False),
        ("a1", "a?", True),
        ("a/", "a?", False),
        ("[x]", "[x]", True),
    ],
)
def test_a_pattern_means_these_paths(path, pattern, means):
    assert matches(path, pattern) is means


def test_a_path_that_several_patterns_mean_is_selected_once():
    assert select(["b", "a", "c"], ("a", "?", "b")) == ["a", "b", "c"]


@given(st.text(min_size=1).filter(lambda text: not set(text) & set("*?/\n") and not text.startswith(".")))
def test_a_text_without_signs_means_itself(text):
    assert matches(text, text)


def test_a_key_changes_with_each_part_and_not_with_their_order():
    one = cache_key(steps=["a"], files=[["x", "1"]])
    assert one == cache_key(files=[["x", "1"]], steps=["a"])
    assert len({one, cache_key(steps=["a", "b"], files=[["x", "1"]]), cache_key(steps=["a"], files=[["x", "2"]])}) == 3
