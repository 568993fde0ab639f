"""Images in registries, for commands."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.domain.errors import UserError
from fairway.domain.provenance.trust import TrustPolicy

if TYPE_CHECKING:
    from fairway.ports.images import ImageRegistries


def open_registries(tell: Callable[[str], None] = lambda _line: None) -> "ImageRegistries":
    """The registries that references name."""
    from fairway.adapters.images.registries import OciRegistries

    return OciRegistries(tell=tell)


def demanded_of(config: Path | None, environment: str) -> TrustPolicy:
    """What an environment demands of signatures.

    Raises:
        UserError: there is no such environment, or it demands none.
    """
    from fairway.bootstrap.project import open_project

    spec = open_project(config).spec
    found = next((one for one in spec.environments if one.name == environment), None)
    if found is None:
        known = ", ".join(one.name for one in spec.environments) or "none"
        raise UserError("unknown-environment", f"there is no environment {environment[:60]!r}", f"known are {known}")
    if found.signed is None:
        sentence = f"{environment} demands no signatures, so that nothing can be verified for it"
        raise UserError("no-demands", sentence, f"set environments.{environment}.gates.signed, or leave --env out")
    return found.signed
