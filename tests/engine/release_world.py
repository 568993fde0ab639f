"""A release on a real journal in a file, with fakes that count their effects and can be killed at any boundary."""

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.images.spec import ImageSpec
from fairway.domain.pipeline.compile import Subject, compile_release
from fairway.domain.pipeline.events import ReleaseResumed, ReleaseStarted, TaskLost
from fairway.domain.pipeline.release import Release
from fairway.domain.pipeline.spec import PipelineSpec, PublishSpec, TaskSpec
from fairway.domain.rollout.revision import Artifact
from fairway.domain.rollout.spec import Adapter
from fairway.engine.pipeline import Bench, TaskPerformance
from fairway.engine.releasing import Releaser
from fairway.testing.pipeline import FakeAttestor, FakeDeployments, FakeRegistry, FakeTags, FakeWorkshop

SEALED = "sha256:" + "5" * 64
PIPELINE = PipelineSpec(
    tasks=(
        TaskSpec("wheel", "build", ("make wheel",), outputs=("dist/shop.whl", "dist/shop.tar.gz")),
        TaskSpec(
            "binary",
            "build",
            ("make {os}",),
            outputs=("dist/shop-{os}",),
            matrix=(("os", ("linux", "darwin")),),
        ),
        TaskSpec("package", "build", ("npm pack",), outputs=("shop.tgz",)),
        TaskSpec("shop", "build", (), needs=("binary",), image=ImageSpec("shop")),
        TaskSpec("unit", "test", ("pytest",)),
    ),
    publish=(
        PublishSpec("pypi", Adapter("pypi"), ("dist/shop.whl", "dist/shop.tar.gz")),
        PublishSpec("npm", Adapter("npm"), ("shop.tgz",), after=("pypi",)),
        PublishSpec("images", Adapter("oci"), (), after=("pypi",), images=("shop",)),
    ),
    push="origin",
    key="release",
)


class Killed(BaseException):
    """The process is gone."""


class _AtOnce(Executor):
    """Runs what it is given at once; a kill goes through it."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001
            future.set_exception(error)
        return future


class FakeSeals:
    """The part of `ArtifactStore` that a release uses."""

    def build(self, commit, steps, *, timeout, log):
        return Artifact("shop", commit.version, commit.id, SEALED, "/nowhere")

    def verify(self, digest):
        return None if digest == SEALED else f"{digest} is not kept"


class KillableStore(SqlStore):
    """A journal whose writes have boundaries as well."""

    boundary = staticmethod(lambda what: None)

    def append_release(self, release, events, *, epoch=None):
        name = " ".join(type(one).__name__ for one in events)
        self.boundary(f"before {name} {release.version}")
        after = super().append_release(release, events, epoch=epoch)
        self.boundary(f"after {name} {release.version}")
        return after

    def take_turn(self, service, release):
        self.boundary("before turn")
        answer = super().take_turn(service, release)
        self.boundary("after turn")
        return answer


@dataclass
class World:
    """Everything around one service's releases."""

    folder: Path
    spec: PipelineSpec = PIPELINE
    clock: float = 1000.0
    pypi: FakeRegistry = field(default_factory=lambda: FakeRegistry("pypi"))
    npm: FakeRegistry = field(default_factory=lambda: FakeRegistry("npm"))
    images: FakeRegistry = field(default_factory=lambda: FakeRegistry("oci"))
    tags: FakeTags = field(default_factory=FakeTags)
    workshop: FakeWorkshop = field(default_factory=FakeWorkshop)
    attestor: FakeAttestor = field(default_factory=FakeAttestor)
    deployments: FakeDeployments = field(default_factory=FakeDeployments)
    waits: list[tuple[str, str]] = field(default_factory=list)
    boundaries: list[str] = field(default_factory=list)
    kill_at: int | None = None
    holders: int = 0

    def __post_init__(self):
        self.store = KillableStore.open(str(self.folder / "journal.db"))
        for one in (
            self.store,
            self.pypi,
            self.npm,
            self.images,
            self.tags,
            self.workshop,
            self.attestor,
            self.deployments,
        ):
            one.boundary = self.pass_boundary

    def pass_boundary(self, what: str) -> None:
        self.boundaries.append(what)
        if self.kill_at is not None and len(self.boundaries) - 1 == self.kill_at:
            raise Killed(what)

    def now(self) -> float:
        self.clock += 0.01
        return self.clock

    def bench(self) -> Bench:
        registries = {"pypi": self.pypi, "npm": self.npm, "oci": self.images}
        return Bench(
            journal=self.store,
            workshop=self.workshop,
            artifacts=FakeSeals(),
            adopted=None,
            tags=self.tags,
            registry_of=lambda adapter: registries[adapter.kind],
            attestor=self.attestor,
            deployments=self.deployments,
            log=lambda task, line: None,
        )

    def start(self, name: str, version: str = "1.0.0", *, deploy: bool = False) -> Release:
        subject = Subject("shop", version, "c" * 40, seal=True, steps=("make",))
        plan = compile_release(subject, self.spec, deploy=("staging", f"r-{name}") if deploy else None)
        self.store.start_release(name, ReleaseStarted(self.now(), "ann", plan))
        return self.store.load_release(name)

    def host(self, name: str, *, turns: int = 200) -> Release:
        """One process carries the release on until it rests or waits for good."""
        self.holders += 1
        holder = f"host-{self.holders}"
        epoch = self.store.hold(name, holder, now=self.now(), ttl=8.0)
        assert epoch is not None
        releaser = Releaser(self.bench(), self.now, _AtOnce(), lambda task, why: self.waits.append((task, why)))
        try:
            for _ in range(turns):
                wait = releaser.advance(name, epoch)
                if wait is None:
                    break
                self.clock += wait
        finally:
            self.store.release(holder)
        return self.store.load_release(name)

    def resume(self, name: str) -> Release:
        """What `fairway release resume` does."""
        state = self.store.load_release(name)
        performance = TaskPerformance(state, self.bench(), self.now)
        done = [task for task in state.plan.tasks if state.tasks[task.id].phase == "done"]
        lost = [TaskLost(self.now(), task.id, why) for task in done if (why := performance.find_lost(task))]
        self.store.append_release(state, (*lost, ReleaseResumed(self.now(), "ann")))
        return self.host(name)
