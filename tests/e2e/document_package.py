"""An environment in which a page can install a package of its own beside Fairway, without a package index."""

import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path


def make_environment(folder: Path) -> Path:
    """A virtual environment that sees everything that this one has; returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    python = folder / "bin" / "python"
    # A line that begins with `import` is run: the packages here may be installed by .pth files themselves.
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (_packages(python) / "beside.pth").write_text(line)
    command = folder / "bin" / "fairway"
    command.write_text(f"#!{python}\nfrom fairway.__main__ import main\n\nmain()\n")
    command.chmod(0o755)
    return python


def install(project: Path, python: Path) -> None:
    """What an installer does with a pure package: its modules can be imported, its entry points are on record."""
    declared = tomllib.loads(project.read_text())["project"]
    folder = _packages(python) / f"{declared['name'].replace('-', '_')}-{declared['version']}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: {declared['version']}\n"
    )
    lines = []
    for group, points in declared.get("entry-points", {}).items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (_packages(python) / f"{declared['name']}.pth").write_text(f"{project.parent}\n")


def _packages(python: Path) -> Path:
    return next((python.parent.parent / "lib").glob("python*/site-packages"))
