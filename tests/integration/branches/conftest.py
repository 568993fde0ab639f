"""The repository that hotfixes, reverts and release branches are made in."""

import shutil
from pathlib import Path

import pytest
from branch_repository import Repository


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Version 1.1.0 with a merged pull request 12 and a squashed one 13 on top of 1.0.0."""
    made = Repository(tmp_path_factory.mktemp("template") / "shop")
    made.write("feat: start", tag="v1.0.0", base="base\n", shared="one\ntwo\nthree\n")
    made.git("switch", "--quiet", "--create", "search")
    made.write("feat: search", search="search\n")
    made.write("fix: typo in search", search="search!\n")
    made.git("switch", "--quiet", "main")
    made.merge("search", "Merge pull request #12 from ann/search")
    made.write("feat: cart (#13)", tag="v1.1.0", cart="cart\n")
    return made.folder


@pytest.fixture
def shop(template, tmp_path):
    """A copy of its own of that repository."""
    made = Repository.__new__(Repository)
    made.folder = Path(shutil.copytree(template, tmp_path / "shop"))
    return made
