"""Reads the section `versioning` alone: a version needs nothing else of the file, nor the adapters that it names."""

from pathlib import Path

from pydantic import ValidationError

from fairway.config.complaints import problems_of
from fairway.config.parse import parse, read
from fairway.config.problems import ConfigError
from fairway.config.versioning import VersioningSection, check_versioning, to_spec
from fairway.domain.versioning.spec import VersioningSpec


def load_versioning(path: Path, package: str | None = None) -> VersioningSpec:
    """The rules that the file gives; what else stands in it is not looked at.

    Raises:
        ConfigError: the section is wrong.
        UserError: there is no such file, no such package, or the file may not be read.
    """
    document = parse(str(path), read(path))
    data = document.plain()
    problems = list(document.problems)
    under = ("versioning",)
    try:
        section = VersioningSection.model_validate(data.get("versioning", {}))
    except ValidationError as error:
        problems += problems_of(error, VersioningSection, document, under=under)
        raise ConfigError(problems) from error
    problems += check_versioning(document, section)
    if problems:
        raise ConfigError(problems)
    return to_spec(section, Path.cwd() / path.parent, package)
