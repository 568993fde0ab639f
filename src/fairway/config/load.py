"""From the file to the specification, or to all of its problems."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fairway.config.bench import to_bench
from fairway.config.branches import check_branches
from fairway.config.cadence import check_cadence
from fairway.config.check_rules import check_checks
from fairway.config.complaints import problems_of
from fairway.config.document import Document
from fairway.config.known import NOTHING_KNOWN, Known, check_adapters
from fairway.config.metric_checks import check_metrics
from fairway.config.models import OF_A_LIBRARY, LibraryFile, ServiceFile
from fairway.config.parse import parse, read
from fairway.config.problems import ConfigError, KeyPath
from fairway.config.release import ReleaseSection, to_pipeline
from fairway.config.release_checks import check_demands, check_pipeline, task_places
from fairway.config.rules import check_rules, environments
from fairway.config.translate import to_spec
from fairway.config.versioning import check_versioning
from fairway.domain.insight.spec import BenchSpec
from fairway.domain.pipeline.spec import PipelineSpec
from fairway.domain.rollout.spec import ServiceSpec


def load(path: Path, known: Known = NOTHING_KNOWN) -> ServiceSpec:
    """The service that the file describes.

    Args:
        path: the file; messages name it as given.
        known: the kinds of adapters that exist, and the models of their settings.

    Raises:
        ConfigError: the content is wrong; carries all problems at once.
        UserError: there is no such file, or it may not be read.
    """
    return to_spec(_load_file(path, known), Path.cwd() / path.parent)


def load_pipeline(path: Path, known: Known = NOTHING_KNOWN) -> PipelineSpec:
    """How releases of the service that the file describes are made; without a section `release`, only tagged.

    Raises:
        As `load` does.
    """
    file = _load_file(path, known)
    return to_pipeline(file.release or ReleaseSection())


def load_bench(path: Path, known: Known = NOTHING_KNOWN) -> BenchSpec:
    """How the service that the file describes is measured.

    Raises:
        As `load` does.
    """
    file = _load_file(path, known)
    return to_bench(file.bench, file.indicators)


def _load_file(path: Path, known: Known) -> ServiceFile:
    document = parse(str(path), read(path))
    data = document.plain()
    _take_variables_as_written(document, data)
    problems = [*document.problems, *check_rules(document, data), *check_metrics(document, data, known.ask)]
    problems += check_demands(document, data)
    problems += check_checks(document, data)
    problems += check_branches(document, data)
    # A model may see the same mistake in a setting as a rule did; once is enough.
    told = {(problem.line, problem.column, problem.key_path) for problem in problems}
    of_adapters = check_adapters(document, data, known)
    problems += [each for each in of_adapters if (each.line, each.column, each.key_path) not in told]
    is_library = bool(OF_A_LIBRARY & data.keys()) and not {"run", "environments"} & data.keys()
    model = LibraryFile if is_library else ServiceFile
    try:
        file = model.model_validate(data)
    except ValidationError as error:
        problems += problems_of(error, model, document)
        raise ConfigError(problems) from error
    problems += check_versioning(document, file.versioning)
    if file.cadence is not None:
        problems += check_cadence(document, data, file.cadence)
    if file.release is not None:
        problems += check_pipeline(document, file.release)
    if problems:
        raise ConfigError(problems)
    return file


def _take_variables_as_written(document: Document, data: dict[str, Any]) -> None:
    """Numbers and truth values of variables are the text that was written: `1.10` stays `1.10`."""
    places: list[tuple[KeyPath, Any]] = [(("run",), data.get("run"))]
    places += [(("environments", name), spec) for name, spec in environments(data).items()]
    places += task_places(data)
    for path, section in places:
        for key in ("variables", "arguments"):
            variables = section.get(key) if isinstance(section, dict) else None
            if not isinstance(variables, dict):
                continue
            for name, value in variables.items():
                node = document.find((*path, key, name))
                if node and isinstance(value, int | float):
                    variables[name] = node.text
