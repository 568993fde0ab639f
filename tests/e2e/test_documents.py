"""The documentation does what it says: commands are run, links lead somewhere, references are up to date."""

import json
import os
import re
import shlex
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cyclopts import CycloptsError
from document_pages import ROOT, Page, list_pages
from document_reference import list_errors, rewrite
from document_session import DATABASE, MismatchError, Session

from fairway import catalog
from fairway.cli.app import COMMANDS
from fairway.cli.parser import app
from fairway.config import Known
from fairway.config.schema import json_schema

PAGES = {page.name: page for page in list_pages()}
RUNNING = [name for name, page in PAGES.items() if page.runs]
#: Pages mostly wait, for bakes and the like; several at once wait together.
AT_ONCE = 6
#: Programs that pages name in blocks which cannot be run.
OTHER_PROGRAMS = {
    "make",
    "pip",
    "uv",
    "createuser",
    "createdb",
    "systemctl",
    "export",
    "chmod",
    "rm",
    ".venv/bin/python",
}


@pytest.fixture(scope="module")
def followed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which there will be a file for each selected page: empty if it works, else what went wrong.

    Where several processes share the tests, the first that comes here follows all pages, and the others wait for it.
    """
    mine = [item for item in request.session.items if item.fspath == request.node.fspath]
    names = [item.callspec.params["name"] for item in mine if "followed" in getattr(item, "fixturenames", ())]
    # The longest first, so that none begins when all others have ended.
    names.sort(key=lambda name: PAGES[name].text.count("\n$ fairway "), reverse=True)
    temporary = tmp_path_factory.getbasetemp()
    results = (temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary) / "followed-pages"
    try:
        results.mkdir()
    except FileExistsError:
        yield results
        return
    urls = {}
    for name in names:
        if DATABASE in PAGES[name].text:
            urls[name] = _new_database(request.getfixturevalue("postgres_socket"), f"page_{len(urls)}")
    with tempfile.TemporaryDirectory(prefix="fw-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number, name in enumerate(names):
                pool.submit(_follow, PAGES[name], Path(folder) / str(number), urls.get(name), _result(results, name))
            yield results
        for path in Path(folder).rglob("*"):
            # Sealed artifacts may be read only.
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)


@pytest.mark.parametrize("name", RUNNING)
def test_a_page_works_as_written(name, followed):
    result = _result(followed, name)
    while not result.exists():
        time.sleep(0.05)
    problem = result.read_text(encoding="utf-8")
    if problem:
        pytest.fail(problem, pytrace=False)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_begins_with_its_title_and_a_sentence_that_says_what_it_is_for(name):
    title, empty, first = PAGES[name].text.splitlines()[:3]
    assert re.fullmatch(r"# .+", title)
    assert empty == ""
    assert first
    assert not first.startswith(("#", "`", "|", "-"))


@pytest.mark.parametrize("name", PAGES)
def test_every_relative_link_leads_somewhere(name):
    broken = [link for link in _links(PAGES[name]) if not _leads_somewhere(PAGES[name], link)]
    assert broken == []


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_cannot_be_run_here_parse_at_least(name):
    lines = [
        line
        for block in PAGES[name].blocks
        if block.language == "sh" and not block.title
        for line in block.text.splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert [problem for line in lines if (problem := _problem_of(line))] == []


@pytest.mark.parametrize("name", PAGES)
def test_commands_named_in_a_text_exist(name):
    named = set(re.findall(r"`fairway ([a-z]+)", PAGES[name].prose))
    assert named - {command.split()[0] for command, _, _ in COMMANDS} == set()


@pytest.mark.parametrize("name", [name for name in PAGES if not name.endswith("errors.md")])
def test_the_generated_parts_are_those_of_the_code(name):
    hint = "python tests/e2e/document_reference.py writes them"
    assert rewrite(PAGES[name].text) == PAGES[name].text, hint


def test_every_error_code_is_in_the_reference():
    """The codes; sentences may be worded anew without a word here."""
    listed = set(re.findall(r"^\| `([^`]+)` \|", PAGES["docs/reference/errors.md"].text, re.MULTILINE))
    assert listed == set(list_errors()), "python tests/e2e/document_reference.py writes them"


def test_every_command_is_in_the_reference():
    headings = set(re.findall(r"^## `fairway ([a-z -]+)`$", PAGES["docs/reference/commands.md"].text, re.MULTILINE))
    assert headings == {command for command, _, _ in COMMANDS}


def test_every_configuration_key_is_in_the_reference():
    text = "".join(PAGES[f"docs/reference/{name}.md"].text for name in ("configuration", "adapters", "checks"))
    described = set(re.findall(r"^\| `([a-z_0-9]+)` \|", text, re.MULTILINE)) | {"kind"}
    kinds = {port: catalog.settings_by_kind(port) for port in ("target", "router", "notifier")}
    known = Known(targets=kinds["target"], routers=kinds["router"], notifiers=kinds["notifier"])
    assert _keys(json_schema(known)) - described == set()


def test_every_term_of_the_code_is_in_the_glossary():
    text = PAGES["docs/glossary.md"].text.lower()
    terms = (
        "abort analysis artifact bake blue-green candidate canary commit-point controller decision digest e-value "
        "environment epoch event evidence gate hold inconclusive instance journal lane lease measurement notifier "
        "observe outbox pause phase plan preview promotion quarantine release revision rolling rollback rollout router "
        "run seal service settle stable stage step strategy supervisor target unit verdict warm-up weight"
    )
    missing = [term for term in terms.split() if f"**{term.replace('commit-point', 'commit point')}**" not in text]
    assert missing == []


def _result(folder: Path, name: str) -> Path:
    return folder / name.replace("/", "-")


def _follow(page: Page, folder: Path, database: str | None, result: Path) -> None:
    problem = ""
    try:
        folder.mkdir()
        packages = any(block.title == "pyproject.toml" for block in page.blocks)
        with Session(folder, database, packages=packages) as session:
            session.follow(page)
    except MismatchError as error:
        problem = str(error)
    except BaseException:
        problem = traceback.format_exc()
        raise
    finally:
        draft = result.with_suffix(".draft")
        draft.write_text(problem, encoding="utf-8")
        draft.rename(result)


def _new_database(host: str, name: str) -> str:
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://postgres@/{name}?host={host}"


def _links(page: Page) -> list[str]:
    prose = re.sub(r"`[^`\n]*`", "", page.prose)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"[a-z]+:", link)]


def _leads_somewhere(page: Page, link: str) -> bool:
    place, _, anchor = link.partition("#")
    path = (page.path.parent / place).resolve() if place else page.path
    if not path.exists() or not path.is_relative_to(ROOT):
        return False
    return not anchor or anchor in _anchors(path)


def _anchors(path: Path) -> set[str]:
    """The anchors of a page as GitHub makes them."""
    page = next((one for one in PAGES.values() if one.path == path), None)
    titles = re.findall(r"^#+ (.+)$", page.prose if page else path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _problem_of(line: str) -> str | None:
    """Why the line is not something that can be typed; None if it is."""
    for part in re.split(r"&&|\|\|", line):
        words = shlex.split(part, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if not words or words[0] in OTHER_PROGRAMS:
            continue
        if words[0] != "fairway":
            return f"{words[0]!r} in {line!r} is no program that the pages may name"
        try:
            app.parse_args(words[1:], print_error=False, exit_on_error=False)
        except CycloptsError as error:
            return f"{line!r}: {error}"
    return None


def _keys(schema: Any) -> set[str]:
    """All keys that a schema names; those below a name of the user's own too."""
    if isinstance(schema, list):
        return set().union(*map(_keys, schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
    return found.union(*(_keys(part) for name, part in schema.items() if name not in ("examples", "default")))


def test_the_pages_hold_no_json_that_is_none():
    for page in PAGES.values():
        for block in page.blocks:
            if block.language == "json":
                json.loads(block.text)
