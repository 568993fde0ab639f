"""What `fairway init` writes for a library is accepted by the commands that it names next."""

import subprocess

from workshop import run_fairway

FILES = {
    "pyproject.toml": '[project]\nname = "shapes"\nversion = "0.1.0"\n'
    '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
    "src/shapes/__init__.py": "def area():\n    return 1\n",
    "tests/test_area.py": "from shapes import area\n\n\ndef test_area():\n    assert area() == 1\n",
}


def test_a_python_library_is_recognised_checked_and_its_release_is_shown(tmp_path):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    written = run_fairway(["init"], tmp_path, {})
    assert written.status == 0, written.err
    assert "Python package shapes" in written.out
    assert written.out.splitlines()[-1] == "next: fairway check, commit, fairway release --dry-run"
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "feat: the first shape"]):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *words], cwd=tmp_path, check=True)
    checked = run_fairway(["check"], tmp_path, {})
    assert (checked.status, "no mistakes" in checked.out) == (0, True), checked.out + checked.err
    shown = run_fairway(["release", "--dry-run"], tmp_path, {})
    assert shown.status == 0, shown.err
    stages = [line.split()[:2] for line in shown.out.splitlines()]
    assert ["build", "package"] in stages
    assert ["test", "unit"] in stages
    assert ["publish", "tag"] in stages
