"""From the configuration to the plan of one release."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fairway.domain.errors import UserError
from fairway.domain.images.spec import ImageSpec
from fairway.domain.pipeline.actions import Attest, AwaitTurn, CreateTag, Deploy, Publish, RunSteps, SealArtifact
from fairway.domain.pipeline.matrix import Values, combinations, fill, fill_line, task_id
from fairway.domain.pipeline.plan import STAGES, ReleasePlan, Stage, Task
from fairway.domain.pipeline.scanners import PLATFORM
from fairway.domain.pipeline.spec import PipelineSpec, PublishSpec, TaskSpec
from fairway.domain.rollout.spec import Adapter

#: Ids of the tasks that Fairway adds by itself; none of the user's may be called so.
TURN, SEAL, ATTEST, TAG, DEPLOY = "turn", "artifact", "attest", "tag", "deploy"
RESERVED = (TURN, SEAL, ATTEST, TAG, DEPLOY)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being released.

    Attributes:
        commit: full object name.
        origin: where it comes from; empty if that is not known.
        seal: the service's own artifact is part of the release.
        steps, timeout: how that is built.
        previous: full object name of the last release's commit; empty: there is none.
    """

    service: str
    version: str
    commit: str
    origin: str = ""
    seal: bool = False
    steps: tuple[str, ...] = ()
    timeout: float = 1800.0
    previous: str = ""


def compile_release(
    subject: Subject, spec: PipelineSpec, *, deploy: tuple[str, str] | None = None, notify: tuple[Adapter, ...] = ()
) -> ReleasePlan:
    """The plan of a release.

    Args:
        subject: what is being released.
        spec: how.
        deploy: environment and run id, to go on to there; None: it ends with publishing.
        notify: where messages go.

    Raises:
        UserError: the tasks need each other in a circle, or what does not exist.
    """
    spec = by_platform(spec)
    for problem in problems_of(spec):
        raise UserError("pipeline", problem.sentence, problem.hint)
    if deploy is not None and not subject.seal:
        raise UserError(
            "nothing-to-deploy", f"{subject.service} has no artifact that {deploy[0]} could run", "set release.artifact"
        )
    tag = spec.tag.replace("{version}", subject.version)
    tasks = _tasks(spec, subject, tag, deploy)
    present = {task.stage for task in tasks}
    skipped = tuple((stage, _REASONS[stage]) for stage in STAGES if stage not in present)
    return ReleasePlan(
        service=subject.service,
        version=subject.version,
        tag=tag,
        commit=subject.commit,
        origin=subject.origin,
        tasks=tasks,
        skipped=skipped,
        parallel=spec.parallel,
        patience=spec.patience,
        notify=notify,
    )


_REASONS: dict[str, str] = {
    "build": "nothing to build",
    "test": "release.test has no task",
    "security": "release.security has no task",
    "attest": "release.key names no key",
    "publish": "nothing to publish",
    "deploy": "not asked for: --to ENV",
}


def _tasks(spec: PipelineSpec, subject: Subject, tag: str, deploy: tuple[str, str] | None) -> tuple[Task, ...]:
    """All tasks: those of the user's, between what Fairway adds before and behind them."""
    tasks = [Task(TURN, "queue", AwaitTurn())]
    if subject.seal:
        tasks.append(Task(SEAL, "build", SealArtifact(subject.steps, subject.timeout), (TURN,)))
    tasks += _own_tasks(spec, subject)
    if spec.key is not None:
        tasks.append(Task(ATTEST, "attest", Attest(spec.key), tuple(task.id for task in tasks)))
    # Behind everything that may still say no: a version that has its tag is taken.
    tasks.append(Task(TAG, "publish", CreateTag(tag, spec.push), tuple(task.id for task in tasks)))
    tasks += [_publish(one, subject) for one in in_order(spec.publish)]
    if deploy is not None:
        tasks.append(Task(DEPLOY, "deploy", Deploy(*deploy), tuple(task.id for task in tasks)))
    return tuple(tasks)


def by_platform(spec: PipelineSpec) -> PipelineSpec:
    """The pipeline with a scan of an image for each of its platforms: given all of them, scanners look at one."""
    platforms = {one.name: one.image.platforms for one in spec.tasks if one.image is not None}
    return replace(spec, tasks=tuple(_scan_by_platform(one, platforms) for one in spec.tasks))


def _scan_by_platform(one: TaskSpec, platforms: Mapping[str, tuple[str, ...]]) -> TaskSpec:
    named = platforms.get(one.scan.image, ()) if one.scan is not None else ()
    values = tuple(platform.replace("/", "-") for platform in named)
    if len(values) > 1:
        return replace(one, matrix=(*one.matrix, (PLATFORM, values)))
    return (
        replace(one, steps=tuple(fill(step, {PLATFORM: value}) for value in values for step in one.steps))
        if values
        else one
    )


def _own_tasks(spec: PipelineSpec, subject: Subject) -> Iterator[Task]:
    """The user's tasks by stage, each behind what it needs."""
    ids = {one.name: [task_id(one, values) for values in combinations(one)] for one in spec.tasks}
    for one in _sorted(spec):
        earlier = [other.name for other in spec.tasks if _rank(other.stage) < _rank(one.stage)]
        named = earlier if one.needs is None else one.needs
        needs = [TURN, *([SEAL] if subject.seal and one.needs is None and one.stage != "build" else [])]
        needs += [each for name in named for each in ids[name]]
        for values in combinations(one):
            images = tuple(other.name for other in spec.tasks if other.image and other.name in (one.needs or ()))
            action = _steps(one, values, subject, images)
            yield Task(task_id(one, values), one.stage, action, tuple(needs), values, one.name)


def _steps(spec: TaskSpec, values: Values, subject: Subject, images: tuple[str, ...]) -> RunSteps:
    known = dict(values) | ({"version": subject.version} if spec.versioned else {})
    return RunSteps(
        steps=tuple(fill_line(step, known) for step in spec.steps),
        inputs=tuple(fill(one, known) for one in spec.inputs),
        outputs=tuple(fill(one, known) for one in spec.outputs),
        variables=tuple(sorted((name, fill(value, known)) for name, value in spec.variables)),
        secrets=spec.secrets,
        timeout=spec.timeout,
        cached=spec.cached,
        versioned=spec.versioned,
        scan=spec.scan,
        image=None if spec.image is None else _image(spec.image, known),
        images=images,
        additions=None if spec.additions is None else replace(spec.additions, since=subject.previous),
    )


def _image(spec: ImageSpec, known: dict[str, str]) -> ImageSpec:
    return replace(spec, arguments=tuple((name, fill(value, known)) for name, value in spec.arguments))


def _publish(one: PublishSpec, subject: Subject) -> Task:
    version = {"version": subject.version}
    files = tuple(fill(pattern, version) for pattern in one.files)
    return Task(one.name, "publish", Publish(files, one.registry, one.images), (TAG, *one.after))


def _rank(stage: Stage) -> int:
    return STAGES.index(stage)


def _sorted(spec: PipelineSpec) -> list[TaskSpec]:
    """By stage, and within one so that each stands behind what it needs; else in the order written."""
    done: list[TaskSpec] = []
    left = sorted(spec.tasks, key=lambda one: _rank(one.stage))
    while left:
        behind = {one.name for one in left}
        ready = next((one for one in left if not behind & set(one.needs or ())), left[0])
        left.remove(ready)
        done.append(ready)
    return done


def in_order(publish: tuple[PublishSpec, ...]) -> tuple[PublishSpec, ...]:
    """Each behind those that it comes after; else in the order written."""
    done: list[PublishSpec] = []
    left = list(publish)
    while left:
        behind = {one.name for one in left}
        ready = next((one for one in left if not behind & set(one.after)), left[0])
        left.remove(ready)
        done.append(ready)
    return tuple(done)


@dataclass(frozen=True, slots=True)
class PipelineProblem:
    """What is wrong with a pipeline.

    Attributes:
        path: keys below `release`.
    """

    path: tuple[str, ...]
    sentence: str
    hint: str = ""


def problems_of(spec: PipelineSpec) -> Iterator[PipelineProblem]:
    """What makes no plan: names used twice, needs that do not exist, come later or go round in a circle."""
    yield from _name_problems(spec)
    stages = {one.name: one.stage for one in spec.tasks}
    for one in spec.tasks:
        for name in one.needs or ():
            path: tuple[str, ...] = (one.section, one.name, "needs")
            if name not in stages:
                known = ", ".join(other for other in stages if other != one.name) or "none"
                yield PipelineProblem(path, f"task {one.name!r} needs {name!r}, which is no task", f"known: {known}")
            elif _rank(stages[name]) > _rank(one.stage):
                yield PipelineProblem(path, f"task {one.name!r} of {one.stage} needs {name!r} of {stages[name]}, later")
        if spec.tasks and not list(combinations(one)):
            yield PipelineProblem((one.section, one.name, "exclude"), f"every combination of {one.name!r} is excluded")
    names = [one.name for one in spec.publish]
    yield from _image_problems(spec)
    for entry in spec.publish:
        for name in entry.after:
            if name not in names:
                path = ("publish", entry.name, "after")
                yield PipelineProblem(path, f"{entry.name!r} comes after {name!r}, which is not published")
    sections = {one.name: one.section for one in spec.tasks}
    yield from _circles({one.name: one.needs or () for one in spec.tasks}, sections)
    yield from _circles({one.name: one.after for one in spec.publish}, dict.fromkeys(names, "publish"))


def _image_problems(spec: PipelineSpec) -> Iterator[PipelineProblem]:
    built = [one.name for one in spec.tasks if one.image is not None]
    for entry in spec.publish:
        for name in entry.images:
            if name not in built:
                sentence = f"{entry.name!r} publishes the image {name!r}, which is not built"
                yield PipelineProblem(
                    ("publish", entry.name, "images"), sentence, f"known: {', '.join(built) or 'none'}"
                )


def _name_problems(spec: PipelineSpec) -> Iterator[PipelineProblem]:
    seen: dict[str, str] = dict.fromkeys(RESERVED, "Fairway's own")
    places: list[tuple[str, str, list[str]]]
    places = [(one.section, one.name, [task_id(one, values) for values in combinations(one)]) for one in spec.tasks]
    places += [("publish", one.name, [one.name]) for one in spec.publish]
    for stage, name, ids in places:
        for each in ids:
            if each in seen:
                yield PipelineProblem((stage, name), f"two tasks are called {each!r} (the other is {seen[each]})")
            seen[each] = f"of {stage}"


def _circles(needs: dict[str, tuple[str, ...]], stages: dict[str, str]) -> Iterator[PipelineProblem]:
    left = dict(needs)
    while free := [name for name, others in left.items() if not set(others) & left.keys()]:
        for name in free:
            del left[name]
    if left:
        name = next(iter(left))
        words = ", ".join(left)
        yield PipelineProblem((stages[name], name), f"these need each other in a circle: {words}")
