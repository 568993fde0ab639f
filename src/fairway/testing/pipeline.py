"""Fakes of what the tasks of a release act through.

They behave: a registry refuses a second upload, a remote a second tag.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fairway.domain.cadence.policy import Passage
from fairway.domain.errors import PermanentError
from fairway.domain.pipeline.products import Product, cache_key
from fairway.ports.attestations import Origin
from fairway.ports.pipeline import (
    Broken,
    Deployments,
    Job,
    Log,
    Made,
    Parcel,
    Presence,
    Registry,
    RolloutState,
    Tags,
    Workshop,
)

Boundary = Callable[[str], None]


def _pass(_what: str) -> None:
    """Nothing happens at a boundary."""


@dataclass(slots=True)
class FakeRegistry(Registry):
    """A registry in memory.

    Attributes:
        name: what boundaries call it.
        files: digest by name.
        uploads: names in the order in which they arrived.
        boundary: called right before and right after each effect; may raise to stand for a kill.
    """

    name: str = "registry"
    files: dict[str, str] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    boundary: Boundary = _pass

    def observe(self, parcel: Parcel) -> Presence:
        """What is there under the product's name."""
        there = self.files.get(parcel.product.name)
        if there is None:
            return Presence("absent", parcel.product.name)
        return Presence("same" if there == parcel.product.digest else "other", parcel.product.name, there)

    def publish(self, parcel: Parcel) -> None:
        """Takes the file; refuses one that is there."""
        self.boundary(f"before {self.name} {parcel.product.name}")
        if parcel.product.name in self.files:
            raise PermanentError("registry-refused", f"{parcel.product.name} exists")
        self.files[parcel.product.name] = parcel.product.digest
        self.uploads.append(parcel.product.name)
        self.boundary(f"after {self.name} {parcel.product.name}")


@dataclass(slots=True)
class FakeTags(Tags):
    """A repository and its remotes: the commit of each tag, by remote; None is the repository itself."""

    tags: dict[str | None, dict[str, str]] = field(default_factory=lambda: {None: {}, "origin": {}})
    changes: list[str] = field(default_factory=list)
    boundary: Boundary = _pass

    def observe(self, tag: str, *, remote: str | None = None) -> str | None:
        """The commit that the tag stands on."""
        return self.tags[remote].get(tag)

    def create(self, tag: str, commit: str, *, message: str) -> None:  # noqa: ARG002 -- nobody reads it here
        """Makes the tag; refuses one that is there."""
        self.boundary(f"before tag {tag}")
        self._set(None, tag, commit)
        self.boundary(f"after tag {tag}")

    def push(self, tag: str, remote: str) -> None:
        """Sends the tag; the remote refuses one that it has."""
        self.boundary(f"before push {tag}")
        self._set(remote, tag, self.tags[None][tag])
        self.boundary(f"after push {tag}")

    def _set(self, remote: str | None, tag: str, commit: str) -> None:
        if tag in self.tags[remote]:
            raise PermanentError("tag-exists", f"{tag} exists")
        self.tags[remote][tag] = commit
        self.changes.append(f"{remote or 'here'} {tag}")


@dataclass(slots=True)
class FakeWorkshop(Workshop):
    """Makes a product of the same digest from the same job; keeps what it made until it is told to lose it.

    Attributes:
        broken: steps that fail, each with the reason.
    """

    kept: set[str] = field(default_factory=set)
    jobs: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    boundary: Boundary = _pass

    def work(self, job: Job, *, log: Log) -> Made | Broken:
        """Does the job."""
        self.boundary(f"before work {job.key}")
        self.jobs.append(job.key.rpartition("/")[2])
        log(f"$ {job.action.title}")
        reason = next((self.broken[step] for step in job.action.steps if step in self.broken), None)
        if reason is not None:
            return Broken(reason)
        key = cache_key(steps=job.action.steps, outputs=job.action.outputs, laid=[one.digest for one in job.laid])
        products = tuple(Product(path, f"sha256:{cache_key(key=key, path=path)}", 1) for path in job.action.outputs)
        if job.action.image is not None:
            products = (Product(job.action.image.name, f"sha256:{cache_key(image=job.action.title)}", 1, kind="image"),)
        self.kept |= {one.digest for one in products}
        self.boundary(f"after work {job.key}")
        return Made(products, key, cached=False)

    def holds(self, product: Product) -> bool:
        """The product was not lost."""
        return product.digest in self.kept

    def locate(self, product: Product) -> str:
        """A path; nothing lies there."""
        return f"/nowhere/{product.digest}"

    def interrupt(self) -> None:
        """Nothing runs."""


@dataclass(slots=True)
class FakeAttestor:
    """Remembers what was attested: task and path, by digest; a second time changes nothing."""

    attested: dict[str, str] = field(default_factory=dict)
    boundary: Boundary = _pass

    def ensure_attested(self, product: Product, origin: Origin, *, key: str) -> None:
        """The product is attested."""
        self.boundary(f"before attest {product.path}")
        self.attested[product.digest] = f"{key} {origin.task.id} {product.path}"
        self.boundary(f"after attest {product.path}")


@dataclass(slots=True)
class FakeDeployments(Deployments):
    """Rollouts that complete at the second look."""

    started: list[str] = field(default_factory=list)
    looks: int = 0
    boundary: Boundary = _pass

    def ensure_started(
        self, run: str, *, digest: str, environment: str, actor: str, passage: Passage | None = None
    ) -> str | None:
        """Begins the rollout, once."""
        self.boundary(f"before deploy {run}")
        self.started.append(f"{run} {environment} {digest} {actor}" + (f" {passage}" if passage is not None else ""))
        self.boundary(f"after deploy {run}")
        return None

    def observe(self, run: str) -> RolloutState | None:
        """Under way at the first look, completed at the next."""
        if not any(one.startswith(f"{run} ") for one in self.started):
            return None
        self.looks += 1
        return RolloutState("completed" if self.looks > 1 else None, "live")
