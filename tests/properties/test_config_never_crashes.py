"""Whatever a file holds, it is read or refused in words; nothing else comes out."""

import copy
import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fairway.config import ConfigError, load
from fairway.config.document import resolve
from fairway.config.durations import format_duration, parse_duration

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

EXAMPLE = {
    "service": "shop",
    "build": {"steps": ["make"], "timeout": "5m"},
    "run": {"command": "./serve --port {port}", "health": {"ready": "/ready"}, "variables": {"A": "b"}},
    "environments": {
        "staging": {
            "router": {"kind": "envoy", "listen": "127.0.0.1:8100"},
            "strategy": {"kind": "rolling", "max_surge": "25%"},
            "stages": {"check": {"run": ["x"], "http": [{"path": "/"}]}},
        },
        "production": {
            "after": "staging",
            "router": {"kind": "envoy", "listen": "127.0.0.1:8000"},
            "strategy": {"kind": "canary", "steps": [10, 100]},
            "analysis": {"preset": "strict", "reference": "1%"},
        },
    },
    "notify": [{"kind": "webhook", "url": "http://x"}],
}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["1%", "5m", "canary", "/"]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def read(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8", errors="replace")
    try:
        load(file)
    except ConfigError as error:
        problems = error.problems
    else:
        return "read"
    assert list(problems) == sorted(problems)
    for problem in problems:
        assert problem.line <= text.count("\n") + 2
        assert "\n" not in str(problem)
    return "refused"


@SETTINGS
@given(data=st.data())
def test_a_good_file_with_one_value_replaced_is_read_or_refused(tmp_path, data):
    content = copy.deepcopy(EXAMPLE)
    path = data.draw(st.sampled_from([path for path in places(EXAMPLE) if path]))
    holder = content
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = data.draw(values)
    read(tmp_path / "fairway.yaml", json.dumps(content).replace("NaN", ".nan").replace("Infinity", ".inf"))


@SETTINGS
@given(data=st.data())
def test_a_file_with_an_unknown_key_anywhere_is_refused_at_that_key(tmp_path, data):
    content = copy.deepcopy(EXAMPLE)
    open_ended = {("run", "variables"), ("environments",)}
    mappings = [path for path in places(EXAMPLE) if is_mapping(EXAMPLE, path) and path not in open_ended]
    path = data.draw(
        st.sampled_from([path for path in mappings if path[-1:] != ("router",) and path[:1] != ("notify",)])
    )
    holder = content
    for part in path:
        holder = holder[part]
    holder["unheard-of"] = 1
    text = json.dumps(content, indent=1)
    (tmp_path / "fairway.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "fairway.yaml")
    (problem,) = caught.value.problems
    assert problem.key_path.endswith("unheard-of")
    assert text.split("\n")[problem.line - 1][problem.column - 1 :].startswith('"unheard-of"')


@SETTINGS
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*<!|>'\"#%@ \n\t,?1.0~")))
@example("? a\n: b")
@example("<<: 1")
@example("<<: [1]")
@example("&a a: *a")
@example("a: &b\nc: *b")
def test_arbitrary_yaml_like_text_is_refused(tmp_path, text):
    assert read(tmp_path / "fairway.yaml", text) == "refused"


@given(st.integers(min_value=0, max_value=31_622_400_000))
def test_a_duration_survives_being_written_and_read(milliseconds):
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@given(st.floats() | st.integers() | st.booleans() | st.none())
def test_json_scalars_mean_the_same_in_yaml(value):
    text = json.dumps(value).replace("NaN", ".nan").replace("Infinity", ".inf")
    found = resolve(text)
    if isinstance(value, int) and len(text) > 40:
        assert found == text
    else:
        assert found == value or (isinstance(found, float) and math.isnan(found) and math.isnan(value))


def is_mapping(content, path) -> bool:
    for part in path:
        content = content[part]
    return isinstance(content, dict)
