"""Names and passwords for registries, where the programs that handle images keep them.

https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
"""

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fairway.domain.errors import UserError

Credentials = Callable[[str], "tuple[str, str] | None"]
"""Name and password for the host and path of a repository; None: nobody signs in."""

_HELPER_TIMEOUT = 30.0


def given(user: str, variable: str, environment: Mapping[str, str]) -> Credentials:
    """The name from the configuration with the password from a variable.

    Raises, when it is asked:
        UserError: the variable is not set.
    """

    def find(_repository: str) -> tuple[str, str] | None:
        value = environment.get(variable, "")
        if not value:
            sentence = f"the image registry needs {variable}, which is not set"
            raise UserError("variable-missing", sentence, f"export {variable}=…")
        return user, value

    return find


def kept(environment: Mapping[str, str] = os.environ) -> Credentials:
    """What `podman login`, `buildah login` or `docker login` kept, also with a credential helper."""

    def find(repository: str) -> tuple[str, str] | None:
        for place in _files(environment):
            body = _read(place)
            found = _in_file(body, repository) or _from_helper(body, repository, environment)
            if found is not None:
                return found
        return None

    return find


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    if environment.get("REGISTRY_AUTH_FILE"):
        yield Path(environment["REGISTRY_AUTH_FILE"])
    if environment.get("XDG_RUNTIME_DIR"):
        yield Path(environment["XDG_RUNTIME_DIR"]) / "containers/auth.json"
    home = Path(environment.get("HOME") or "/")
    yield home / ".config/containers/auth.json"
    yield Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _read(place: Path) -> dict[str, Any]:
    try:
        body = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        sentence = f'"{place}" cannot be read: {error}'
        raise UserError("bad-credentials", sentence, "sign in again, or remove it") from error
    return body if isinstance(body, dict) else {}


def _in_file(body: Mapping[str, Any], repository: str) -> tuple[str, str] | None:
    """The entry for the longest part of the name: a repository, a folder of repositories, or the whole registry."""
    entries = body.get("auths")
    if not isinstance(entries, dict):
        return None
    parts = repository.split("/")
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        entry = entries.get(name) or entries.get(f"https://{name}") or entries.get(f"https://{name}/v2/")
        if isinstance(entry, dict) and isinstance(entry.get("auth"), str) and entry["auth"]:
            try:
                user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
            except ValueError:
                continue
            return user, password
    return None


def _from_helper(body: Mapping[str, Any], repository: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    host = repository.partition("/")[0]
    helpers = body.get("credHelpers")
    name = (helpers.get(host) if isinstance(helpers, dict) else None) or body.get("credsStore")
    if not isinstance(name, str) or not name.replace("-", "").isalnum():
        return None
    program = f"docker-credential-{name}"
    try:
        done = subprocess.run(
            [program, "get"],
            input=host.encode(),
            capture_output=True,
            timeout=_HELPER_TIMEOUT,
            check=False,
            env=dict(environment),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError("no-program", f"{program} could not be asked for {host}: {error}", "sign in again") from error
    try:
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
    except (ValueError, RecursionError):
        answer = {}
    return (answer["Username"], answer["Secret"]) if {"Username", "Secret"} <= answer.keys() else None
