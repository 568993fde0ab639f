import json

import pytest

from fairway.domain.errors import UserError
from fairway.domain.pipeline.compile import Subject, compile_release
from fairway.domain.pipeline.spec import PipelineSpec, PublishSpec
from fairway.domain.pipeline.workspaces import expand, read_workspace
from fairway.domain.rollout.spec import Adapter

UV_TOP = '[tool.uv.workspace]\nmembers = ["packages/*", "tools/**"]\nexclude = ["packages/old"]\n'
BUILT = '[build-system]\nrequires = ["uv_build"]\nbuild-backend = "uv_build"\n'


def python(name, *needs, more=""):
    return f'[project]\nname = "{name}"\nversion = "1.0.0"\ndependencies = {json.dumps(needs)}\n{more}\n{BUILT}'


def node(name, needs=None, **more):
    return json.dumps({"name": name, "version": "1.0.0", "dependencies": needs or {}, **more})


UV = {
    "pyproject.toml": UV_TOP,
    "packages/app/pyproject.toml": python(
        "shop-app", "Shop_Lib>=1", "requests", "shop.core[fast] ; python_version>'3'"
    ),
    "packages/lib/pyproject.toml": python("shop-lib", "shop-core==1.0.0"),
    "packages/core/pyproject.toml": python("shop-core"),
    "packages/old/pyproject.toml": python("old"),
    "packages/core/tests/pyproject.toml": python("no-member"),
    "tools/a/b/pyproject.toml": python("deep", more='classifiers = ["Private :: Do Not Upload"]'),
}
NPM = {
    "package.json": json.dumps({"private": True, "name": "root", "workspaces": ["packages/*", "!packages/old"]}),
    "packages/app/package.json": node("@shop/app", {"@shop/glue": "*"}, devDependencies={"@shop/late": "*"}),
    "packages/glue/package.json": node("@shop/glue", {"@shop/core": "^1.0.0"}, private=True),
    "packages/core/package.json": node("@shop/core"),
    "packages/late/package.json": node("@shop/late", peerDependencies={"@shop/app": "*"}),
    "packages/old/package.json": node("old"),
}
CARGO = {
    "Cargo.toml": """
        [workspace]
        members = ["crates/*"]
        [package]
        name = "shop"
        [dependencies]
        shop-core = {path = "crates/core"}
        [dev-dependencies]
        beside = {path = "beside"}
    """,
    "beside/Cargo.toml": '[package]\nname = "beside"\n',
    "elsewhere/Cargo.toml": '[package]\nname = "elsewhere"\n',
    "crates/core/Cargo.toml": '[package]\nname = "shop-core"\n[dev-dependencies]\nshop = "1"\n',
    "crates/unix/Cargo.toml": """
        [package]
        name = "unix"
        [target."cfg(unix)".dependencies]
        c = {package = "shop-core", version = "1"}
    """,
    "crates/inner/Cargo.toml": '[package]\nname = "inner"\npublish = false\n[build-dependencies]\nunix = "1"\n',
}


def members(kind, files):
    return read_workspace(kind, files.keys(), files.__getitem__)


@pytest.mark.parametrize(
    ("kind", "files", "names", "published"),
    [
        ("uv", UV, ["shop-core", "shop-lib", "shop-app", "deep"], ["shop-core", "shop-lib", "shop-app"]),
        (
            "npm",
            NPM,
            ["root", "@shop/core", "@shop/glue", "@shop/app", "@shop/late"],
            ["@shop/core", "@shop/app", "@shop/late"],
        ),
        ("cargo", CARGO, ["shop-core", "shop", "unix", "inner", "beside"], ["shop-core", "shop", "unix", "beside"]),
    ],
)
def test_members_stand_behind_those_that_they_need(kind, files, names, published):
    found = members(kind, files)
    assert sorted(one.name for one in found) == sorted(names)
    assert sorted(one.name for one in found if one.is_published) == sorted(published)
    place = {one.name: number for number, one in enumerate(found)}
    assert all(place[other] < place[one.name] for one in found for other in one.needs)
    assert any(one.needs for one in found)


@pytest.mark.parametrize(
    ("kind", "path", "text"),
    [
        ("uv", "packages/core/pyproject.toml", python("shop-core", "shop-app")),
        ("npm", "packages/core/package.json", node("@shop/core", {"@shop/app": "*"})),
        ("cargo", "crates/core/Cargo.toml", '[package]\nname = "shop-core"\n[dependencies]\nshop = "1"\n'),
    ],
)
def test_a_circle_is_refused_with_its_members(kind, path, text):
    files = {"uv": UV, "npm": NPM, "cargo": CARGO}[kind]
    with pytest.raises(UserError, match="in a circle: ") as refusal:
        members(kind, {**files, path: text})
    words = refusal.value.message.partition("circle: ")[2].split(" → ")
    assert words[0] == words[-1]
    assert 2 < len(words) < 6


@pytest.mark.parametrize(
    ("kind", "files", "words"),
    [
        ("uv", {"README.md": ""}, "there is no pyproject.toml at the top"),
        ("uv", {**UV, "packages/lib/pyproject.toml": "[project"}, '"packages/lib/pyproject.toml" cannot be read'),
        ("npm", {"package.json": "[]"}, "is no manifest"),
        ("npm", {**NPM, "packages/x/package.json": node("@shop/core")}, "the same name"),
    ],
)
def test_what_cannot_be_read_is_told(kind, files, words):
    with pytest.raises(UserError) as refusal:
        members(kind, files)
    assert words in refusal.value.message


def spread(kind="npm", files=NPM, is_changed=lambda _: True, **settings):
    entry = PublishSpec("all", Adapter("npm"), ("dist/{package}-{version}.tgz",), workspace=kind, **settings)
    later = PublishSpec("site", Adapter("command"), ("site",), after=("all",))
    return expand(PipelineSpec(publish=(later, entry)), lambda one: members(one, files), is_changed).publish


def test_each_member_is_an_entry_behind_those_that_it_needs_also_over_private_ones():
    found = {one.name: one for one in spread()}
    assert list(found) == ["site", "all-shop-core", "all-shop-app", "all-shop-late"]
    assert found["all-shop-app"].after == ("all-shop-core",)
    assert found["all-shop-late"].after == ("all-shop-core", "all-shop-app")
    assert found["site"].after == ("all-shop-core", "all-shop-app", "all-shop-late")
    assert found["all-shop-app"].files == ("dist/shop-app-{version}.tgz",)


def test_of_a_workspace_only_what_has_changed_goes_where_that_is_asked_for():
    found = spread(is_changed=lambda one: one.name != "@shop/core", changed=True)[1:]
    assert [(one.name, one.after) for one in found] == [("all-shop-app", ()), ("all-shop-late", ("all-shop-app",))]
    assert len(spread(is_changed=lambda one: False)) == 4


def test_the_plan_publishes_in_that_order():
    pipeline = PipelineSpec(publish=spread("uv", UV))
    plan = compile_release(Subject("shop", "1.2.0", "c" * 40, "", seal=False), pipeline)
    tasks = [task for task in plan.tasks if task.id.startswith("all-")]
    assert [task.id for task in tasks] == ["all-shop-core", "all-shop-lib", "all-shop-app"]
    assert tasks[2].action.files == ("dist/shop_app-1.2.0.tgz",)
    assert set(tasks[2].needs) >= {"all-shop-core", "all-shop-lib"}
