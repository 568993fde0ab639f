"""Jobs on this machine; implements `Workshop`.

A job runs in a folder of its own, which is removed when it has succeeded and kept to be looked at when it has not. Its
log stays. What it made is kept by digest, and written down under the key of everything that may have changed it; the
same key makes the same products without running anything.
"""

import json
import os
import platform
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock

from fairway.adapters.builders.blobs import Blobs
from fairway.domain.codec import from_json, to_json
from fairway.domain.errors import UserError
from fairway.domain.images.manifests import REVISION, TITLE, VERSION
from fairway.domain.images.spec import ImageSpec
from fairway.domain.pipeline.additions import PLACE
from fairway.domain.pipeline.products import Product, cache_key, matches, select
from fairway.ports.images import ImageBuilder, Recipe
from fairway.ports.pipeline import AddedContent, Broken, Checkouts, Execution, Job, Log, Made, Tree, Workshop

#: Seconds for interrupted jobs to end, and between two looks.
_PATIENCE, _PAUSE = 30.0, 0.05
#: Name of the folder in which a job's commands run, below one of its own.
_CHECKOUT = "checkout"
#: And of the one beside it that an image is written to.
_IMAGE = "image"
#: And of the one that holds what commits added.
_HISTORY = Path(PLACE).name


class LocalWorkshop(Workshop):
    """Runs jobs below a folder.

    Args:
        folder: where everything lies; made when it is needed.
        tree: the files of commits.
        checkouts: clean checkouts, and commands in them.
        images: builds images; None: it cannot.
        added: knows what commits added; None: nobody asks for that.
        environment: where variables that are passed on come from.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tree: Tree,
        checkouts: Checkouts,
        images: ImageBuilder | None = None,
        added: AddedContent | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._folder = folder.absolute()
        self._tree = tree
        self._checkouts = checkouts
        self._images = images
        self._added = added
        self._environment = environment
        self._blobs = Blobs(self._folder / "blobs")
        self._working: set[str] = set()
        self._lock = Lock()

    def work(self, job: Job, *, log: Log) -> Made | Broken:
        """Does the job, or takes what an earlier execution with the same key made."""
        secrets = self._secrets(job)
        key = self._key(job)
        if job.action.cached and (products := self._recall(key)) is not None:
            return Made(products, key, cached=True, report=self._kept_report(job, products))
        place = self._folder / job.key
        checkout = place / _CHECKOUT
        place.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._working.add(str(checkout))
        try:
            made = self._execute(job, checkout, secrets, log)
        finally:
            shutil.rmtree(place / _HISTORY, ignore_errors=True)
            with self._lock:
                self._working.discard(str(checkout))
        report = self._report(job, checkout)
        if isinstance(made, Broken):
            return replace(made, report=report)
        self._checkouts.clear(str(checkout))
        if job.action.cached:
            self._remember(key, made)
        return Made(made, key, cached=False, report=report)

    def log_of(self, key: str) -> Path:
        """Where the output of a job is kept, that of its last execution."""
        return self._folder / key / "log"

    def holds(self, product: Product) -> bool:
        """The product is kept, with the bytes that its digest says."""
        return self._blobs.holds(product)

    def locate(self, product: Product) -> str:
        """Absolute path of a kept product."""
        return str(self._blobs.path(product.digest))

    def interrupt(self) -> None:
        """Ends the commands that run; a job that is just about to start one is waited for, so that it is ended too."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            with self._lock:
                working = list(self._working)
            if not working:
                return
            for folder in working:
                # The job may be writing there at this moment; the next look clears what is left.
                with suppress(OSError):
                    self._checkouts.clear(folder)
            time.sleep(_PAUSE)

    def _execute(self, job: Job, checkout: Path, secrets: dict[str, str], log: Log) -> tuple[Product, ...] | Broken:
        action, inputs = job.action, job.action.inputs
        self._checkouts.prepare(
            str(checkout), job.commit.id, keep=lambda path: not inputs or any(matches(path, one) for one in inputs)
        )
        self._lay_additions(job, checkout.with_name(_HISTORY))
        for product in job.laid:
            self._blobs.lay(product, checkout)
        variables = {f"MATRIX_{name.upper()}": value for name, value in job.values}
        steps = action.steps
        if action.image is not None:
            recipe = self._prepare_image(job, action.image, checkout)
            steps, variables = recipe.steps, variables | dict(recipe.variables)
        execution = Execution(
            folder=str(checkout),
            commit=job.commit,
            steps=steps,
            variables=variables | dict(action.variables) | secrets,
            secrets=tuple(secrets.values()),
            timeout=action.timeout,
            log=str(self.log_of(job.key)),
            versioned=action.versioned,
        )
        broken = self._checkouts.run(execution, receive=log)
        if broken is None and action.image is not None:
            return self._keep_image(job, action.image, checkout)
        outputs = action.outputs if action.scan is None else (*action.outputs, action.scan.report)
        return broken if broken is not None else self._collect(outputs, checkout)

    def _lay_additions(self, job: Job, folder: Path) -> None:
        """Puts what commits added beside the checkout, where the job asks for it; by whatever the checkout holds."""
        shutil.rmtree(folder, ignore_errors=True)
        wanted, inputs = job.action.additions, job.action.inputs
        if wanted is None:
            return
        if self._added is None:
            raise UserError("no-history", "what commits added is not known here", "release where the repository is")
        folder.mkdir()
        self._added.lay(
            job.commit.id,
            wanted.since,
            str(folder),
            keep=lambda path: wanted.has(path) and (not inputs or any(matches(path, one) for one in inputs)),
        )

    def _image_builder(self) -> ImageBuilder:
        if self._images is None:
            raise UserError("no-image-builder", "images are not built here", "release where buildah is installed")
        return self._images

    def _prepare_image(self, job: Job, image: ImageSpec, checkout: Path) -> Recipe:
        folder = checkout.with_name(_IMAGE)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return self._image_builder().prepare(image, folder=str(folder), annotations=_annotations(job, image))

    def _keep_image(self, job: Job, image: ImageSpec, checkout: Path) -> tuple[Product, ...] | Broken:
        folder = checkout.with_name(_IMAGE)
        made = self._image_builder().assemble(image, folder=str(folder), annotations=_annotations(job, image))
        if isinstance(made, Broken):
            return made
        for path in made.files:
            self._blobs.keep(Path(path), image.name)
        shutil.rmtree(folder)
        return (Product(image.name, made.digest, made.size, kind="image"),)

    def _report(self, job: Job, checkout: Path) -> str | None:
        """What a scanner wrote, whatever its status."""
        place = None if job.action.scan is None else checkout / job.action.scan.report
        return self._relative(place) if place is not None and place.is_file() else None

    def _kept_report(self, job: Job, products: tuple[Product, ...]) -> str | None:
        wanted = None if job.action.scan is None else job.action.scan.report
        kept = next((self._blobs.path(one.digest) for one in products if one.path == wanted), None)
        return None if kept is None else self._relative(kept)

    def _relative(self, report: Path) -> str:
        """A report with paths as in the repository: some scanners write where the checkout of that day lay."""
        text = report.read_text(encoding="utf-8", errors="replace")
        place = rf'(?:file://)?{re.escape(str(self._folder))}/[^/"]+/[^/"]+'
        return re.sub(rf"{place}/{_HISTORY}/", f"{PLACE}/", re.sub(rf"{place}/{_CHECKOUT}/", "", text))

    def _collect(self, patterns: tuple[str, ...], checkout: Path) -> tuple[Product, ...] | Broken:
        if not patterns:
            return ()
        made = {path.relative_to(checkout).as_posix(): path for path in _files(checkout)}
        for pattern in patterns:
            if not select(made, (pattern,)):
                return Broken(f"no file matches the output {pattern!r}", f'the checkout is kept in "{checkout}"')
        return tuple(self._blobs.keep(made[path], path) for path in select(made, patterns))

    def _secrets(self, job: Job) -> dict[str, str]:
        missing = [name for name in job.action.secrets if not self._environment.get(name)]
        if missing:
            names = ", ".join(missing)
            raise UserError("variable-missing", f"{job.key} needs {names}, which is not set", f"export {missing[0]}=…")
        return {name: self._environment[name] for name in job.action.secrets}

    def _key(self, job: Job) -> str:
        """Everything that may change what comes out; the values of secrets are left out, their names are not."""
        action = job.action
        files = self._tree.list_files(job.commit.id)
        return cache_key(
            steps=action.steps,
            outputs=(action.outputs, None if action.scan is None else action.scan.report),
            variables=action.variables,
            secrets=action.secrets,
            values=job.values,
            files=[each for each in files if not action.inputs or any(matches(each[0], one) for one in action.inputs)],
            laid=[(one.path, one.digest, one.executable) for one in job.laid],
            machine=(platform.system(), platform.machine()),
            version=(job.commit.version, job.commit.id) if action.versioned else None,
            # Left out where there is none, so that the keys of everything else are what they were.
            **({} if action.image is None else {"image": to_json(action.image)}),
            **({} if action.additions is None else {"additions": [to_json(action.additions), job.commit.id]}),
        )

    def _recall(self, key: str) -> tuple[Product, ...] | None:
        """What the execution with this key made, if all of it is still kept."""
        try:
            content = json.loads((self._folder / "cache" / f"{key}.json").read_text(encoding="utf-8"))
            products = tuple(from_json(Product, one) for one in content["products"])
        except (OSError, ValueError, LookupError):
            return None
        return products if all(self._blobs.holds(one) for one in products) else None

    def _remember(self, key: str, products: tuple[Product, ...]) -> None:
        place = self._folder / "cache" / f"{key}.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{key}.{os.getpid()}")
        draft.write_text(json.dumps({"products": to_json(products)}), encoding="utf-8")
        draft.rename(place)


def _files(folder: Path) -> list[Path]:
    """The regular files below a folder; nothing is read through a link that leads out of it."""
    found = []
    for place, _, names in os.walk(folder):
        found += [path for name in names if (path := Path(place) / name).is_file() and not path.is_symlink()]
    return found


def _annotations(job: Job, image: ImageSpec) -> dict[str, str]:
    """What the image says about itself; nothing of the version where the commands do not see it either."""
    if not job.action.versioned:
        return {TITLE: image.name}
    return {TITLE: image.name, VERSION: job.commit.version, REVISION: job.commit.id}
