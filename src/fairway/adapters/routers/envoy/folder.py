"""Files that Envoy reads: written beside, made durable, then renamed into place.

Envoy acts on a rename only, so it never sees half a file, and neither does a start after a power cut.
"""

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fairway.domain.errors import PermanentError, TransientError

Json = dict[str, Any]


@contextlib.contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Tells what the system refuses in our own words.

    Raises:
        PermanentError: the folder may not be used.
        TransientError: the disk is full, or another trouble of the moment.
    """
    try:
        yield
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        message = f'the folder "{folder}" cannot be used: {error.strerror}'
        raise PermanentError("folder-refused", message, "give the router a folder of its own") from error
    except OSError as error:
        message = f'the files in "{folder}" could not be read or written: {error.strerror}'
        raise TransientError("folder-trouble", message, "is the disk full?") from error


def create_folder(folder: Path) -> None:
    """Creates the folder, open to its owner only; an existing one gets that mode too."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)


def replace_file(path: Path, content: str) -> None:
    """Replaces the file's content at once; other readers see the old or the new one, also after a power cut."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Makes the renames in the folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_file(path: Path) -> str | None:
    """The file's content, None if there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def discovery(resources: list[Json]) -> Json:
    """A discovery response.

    Its version is a digest of the resources: the same resources have the same version, whoever writes them.
    """
    digest = hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()
    return {"version_info": digest[:16], "resources": resources}


def to_text(content: Json) -> str:
    """The content as people read it; slow, so only for what is written."""
    return json.dumps(content, indent=1)


def says(text: str | None, content: Json) -> bool:
    """Whether the text of a file, None if there is none, is this content."""
    try:
        return text is not None and json.loads(text) == content
    except ValueError:
        return False
