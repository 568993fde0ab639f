"""Changelogs by a Jinja template of the user's own.

The template runs in Jinja's sandbox: it comes with the repository, and reading a changelog must never run a
stranger's code. An unknown name is an error and not an empty text.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from fairway.domain.errors import UserError
from fairway.domain.versioning.changelog import Release


def render_template(path: Path, releases: Sequence[Release], repository: str, *, single: bool) -> str:
    """The text that the template makes.

    It sees `releases`, the newest first, `release` (the only one, where one is asked for), `unreleased` (None where
    there is nothing to release) and `repository`.

    Args:
        path: the template; others beside it may be included.
        releases: what it is about.
        repository: address for links, empty if unknown.
        single: one release is asked for.

    Raises:
        UserError: there is no such template, or it is wrong; the sentence says where.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(path.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    unreleased = next((one for one in releases if one.version is None and one.sections), None)
    given: dict[str, Any] = {
        "releases": [one for one in releases if one.version is not None or one.sections],
        "release": releases[0] if single else None,
        "unreleased": unreleased,
        "repository": repository,
    }
    try:
        return environment.get_template(path.name).render(given)
    except TemplateNotFound as error:
        raise UserError(
            "no-template", f'there is no template "{path.parent / str(error.name)}"', "name the file"
        ) from error
    except TemplateSyntaxError as error:
        sentence = f'template "{error.filename or path}" line {error.lineno}: {error.message}'
        raise UserError("template", sentence, "https://jinja.palletsprojects.com/templates/") from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
        raise UserError("template", f'template "{path}": {error}', "what it sees: fairway changelog --json") from error
