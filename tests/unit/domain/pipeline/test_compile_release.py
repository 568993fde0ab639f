import shlex

import pytest

from fairway.domain.errors import UserError
from fairway.domain.images.spec import ImageSpec
from fairway.domain.pipeline.actions import RunSteps
from fairway.domain.pipeline.compile import Subject, compile_release, problems_of
from fairway.domain.pipeline.findings import ScanPolicy
from fairway.domain.pipeline.matrix import fill_line, task_id
from fairway.domain.pipeline.scanners import find_scanner, steps_of
from fairway.domain.pipeline.spec import PipelineSpec, PublishSpec, TaskSpec
from fairway.domain.rollout.spec import Adapter

SUBJECT = Subject("shop", "1.2.0", "c" * 40)
WHEEL = TaskSpec("wheel", "build", ("make {version}",), outputs=("dist/*.whl",))
BINARY = TaskSpec(
    "binary",
    "build",
    ("make {os} {arch}",),
    outputs=("dist/{os}",),
    matrix=(("os", ("linux", "windows")), ("arch", ("amd64", "arm64"))),
    exclude=((("arch", "arm64"), ("os", "windows")),),
)
UNIT = TaskSpec("unit", "test", ("pytest",))
REGISTRY = Adapter("pypi")


def plan(*tasks, publish=(), **more):
    return compile_release(SUBJECT, PipelineSpec(tasks=tasks, publish=publish, **more))


def needs(release_plan):
    return {task.id: set(task.needs) for task in release_plan.tasks}


def test_a_task_is_made_for_each_combination_that_is_not_excluded():
    ids = [task.id for task in plan(BINARY).tasks]
    assert ids == ["turn", "binary-linux-amd64", "binary-linux-arm64", "binary-windows-amd64", "tag"]


def test_values_of_the_matrix_and_the_version_are_put_in_their_places():
    found = plan(WHEEL, BINARY)
    assert found.find("binary-linux-arm64").action.steps == ("make linux arm64",)
    assert found.find("binary-linux-arm64").action.outputs == ("dist/linux",)
    assert found.find("wheel").action.steps == ("make 1.2.0",)


def test_a_task_that_sees_no_version_has_none_put_in():
    unversioned = TaskSpec("wheel", "build", ("make {version}",), versioned=False)
    action = plan(unversioned).find("wheel").action
    assert isinstance(action, RunSteps)
    assert action.steps == ("make {version}",)


def test_stages_follow_each_other_and_tasks_of_one_stage_do_not_wait_for_each_other():
    found = needs(plan(WHEEL, BINARY, UNIT))
    assert found["wheel"] == found["binary-linux-amd64"] == {"turn"}
    assert found["unit"] == {"turn", "wheel", "binary-linux-amd64", "binary-linux-arm64", "binary-windows-amd64"}


def test_a_task_that_says_what_it_needs_waits_for_nothing_else():
    quick = TaskSpec("quick", "test", ("pytest -k quick",), needs=("wheel",))
    assert needs(plan(WHEEL, BINARY, quick))["quick"] == {"turn", "wheel"}


def test_nothing_is_tagged_or_published_before_everything_else_is_done():
    publish = (PublishSpec("pypi", REGISTRY, ("dist/*",)),)
    quick = TaskSpec("quick", "test", ("true",), needs=())
    found = needs(plan(WHEEL, BINARY, quick, publish=publish, key="release"))
    everything = {"turn", "wheel", "binary-linux-amd64", "binary-linux-arm64", "binary-windows-amd64", "quick"}
    assert found["attest"] == everything
    assert found["tag"] == everything | {"attest"}
    assert found["pypi"] == {"tag"}


def test_packages_are_published_behind_those_that_they_come_after_whatever_the_order_of_the_file():
    publish = (
        PublishSpec("app", REGISTRY, ("app*",), after=("core",)),
        PublishSpec("core", REGISTRY, ("core*",), after=("base",)),
        PublishSpec("base", REGISTRY, ("base*",)),
    )
    found = plan(WHEEL, publish=publish)
    assert [task.id for task in found.tasks][-3:] == ["base", "core", "app"]
    assert needs(found)["app"] == {"tag", "core"}


def test_stages_without_a_task_are_told_with_the_reason():
    assert dict(plan().skipped) == {
        "build": "nothing to build",
        "test": "release.test has no task",
        "security": "release.security has no task",
        "attest": "release.key names no key",
        "deploy": "not asked for: --to ENV",
    }


def test_nothing_can_be_deployed_where_nothing_is_sealed():
    with pytest.raises(UserError, match="no artifact that staging could run"):
        compile_release(SUBJECT, PipelineSpec(), deploy=("staging", "r-1"))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (PipelineSpec((TaskSpec("a", "build", ("x",), needs=("b",)),)), "task 'a' needs 'b', which is no task"),
        (PipelineSpec((TaskSpec("a", "build", ("x",), needs=("u",)), TaskSpec("u", "test", ("x",)))), "of test, later"),
        (
            PipelineSpec((TaskSpec("a", "build", ("x",), needs=("b",)), TaskSpec("b", "build", ("x",), needs=("a",)))),
            "in a circle: a, b",
        ),
        (PipelineSpec((TaskSpec("tag", "build", ("x",)),)), "two tasks are called 'tag'"),
        (PipelineSpec((TaskSpec("a", "build", ("x",)), TaskSpec("a", "test", ("x",)))), "two tasks are called 'a'"),
        (
            PipelineSpec((TaskSpec("a", "build", ("x",), matrix=(("v", ("1", "1")),)),)),
            "two tasks are called 'a-1'",
        ),
        (PipelineSpec((), (PublishSpec("p", REGISTRY, ("*",), after=("q",)),)), "after 'q', which is not published"),
        (
            PipelineSpec((TaskSpec("a", "build", ("x",), matrix=(("v", ("1",)),), exclude=((("v", "1"),),)),)),
            "every combination of 'a' is excluded",
        ),
    ],
)
def test_a_pipeline_that_cannot_be_says_why(spec, said):
    assert any(said in problem.sentence for problem in problems_of(spec))
    with pytest.raises(UserError):
        compile_release(SUBJECT, spec)


@pytest.mark.parametrize("name", ["trivy", "grype"])
def test_a_scan_of_an_image_looks_at_each_of_its_platforms_alone(name):
    steps = steps_of(find_scanner(name), image="shop")
    scan = TaskSpec("scan", "security", steps, needs=("shop",), scan=ScanPolicy("r.sarif", image="shop"))
    image = TaskSpec("shop", "build", (), image=ImageSpec("shop", platforms=("linux/amd64", "linux/arm/v7")))
    found = plan(image, scan)
    tasks = [task for task in found.tasks if task.name == "scan"]
    assert [task.id for task in tasks] == ["scan-linux-amd64", "scan-linux-arm-v7"]
    assert "images/shop.linux-amd64 " in tasks[0].action.steps[0]
    assert "images/shop.linux-arm-v7 " in tasks[1].action.steps[0]
    assert {task.action.images for task in tasks} == {("shop",)}
    # One platform needs no name of its own for the scan.
    alone = plan(TaskSpec("shop", "build", (), image=ImageSpec("shop")), scan).find("scan")
    assert "images/shop.linux-amd64 " in alone.action.steps[0]


@pytest.mark.parametrize("value", ["a b", "a'b\"c", "$HOME `id`", "{version}", "--option", "a;b", "*", ""])
def test_a_value_of_a_matrix_stays_within_its_word_whatever_it_holds(value: str):
    assert shlex.split(fill_line("make 'x y' --for={os} {os}", {"os": value})) == [
        "make",
        "x y",
        f"--for={value}",
        value,
    ]


def test_a_usual_value_leaves_the_line_as_it_was_written():
    assert fill_line("sh -c 'go {os} > out'", {"os": "linux"}) == "sh -c 'go linux > out'"


def test_a_long_value_makes_no_name_that_no_folder_could_have():
    spec = TaskSpec("a", "build", ("x",), matrix=(("v", ("long" * 100,)),))
    assert len(task_id(spec, (("v", "long" * 100),))) < 100
