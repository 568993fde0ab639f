"""The scanners that are known by name: what is run for each, and how its report is read.

Each is called so that it looks at what lies in the checkout, writes a report, sends nothing of the source anywhere, and
asks nobody about a secret that it found.
"""

import shlex
from dataclasses import dataclass
from typing import Literal

from fairway.domain.images.spec import platform_layout
from fairway.domain.pipeline.additions import PLACE
from fairway.domain.pipeline.findings import Form

#: Stands for the platform of an image in the commands of a scan, as a value of its matrix.
PLATFORM = "image_platform"

ScannerName = Literal["bandit", "ruff", "semgrep", "kingfisher", "pip-audit", "uv audit", "npm audit", "trivy", "grype"]


@dataclass(frozen=True, slots=True)
class Scanner:
    """A scanner.

    Attributes:
        summary: what it looks for, in one line.
        command: its argument line without paths; `{report}`, `{paths}` and `{arguments}` are replaced.
        form: of its report.
        report: name of the report's file.
        paths: what it looks at where nothing is named.
        path: how each path is written, `{path}` being replaced.
        single: it looks at one path only.
        history: it looks at what commits added as well, and not only at what is there.
        image: in place of `command` where it looks at an image, whose layout for one platform, the only one that it
            would look at, is at `{image}`; empty if it cannot.
        ageing: its answer may be another one tomorrow, because it asks for what is known today.
        guard: run before, and fails where there is nothing to look at; empty: the report says it.
        install: how to get it onto the PATH; pip would put it into a virtual environment, which steps do not see.
    """

    name: ScannerName
    summary: str
    command: str
    form: Form = "sarif"
    report: str = "report.sarif"
    paths: tuple[str, ...] = (".",)
    path: str = "{path}"
    single: bool = False
    history: bool = False
    image: str = ""
    ageing: bool = False
    guard: str = ""
    install: str = ""


SCANNERS: tuple[Scanner, ...] = (
    Scanner(
        "bandit",
        "mistakes in Python that others can use",
        "bandit --quiet --recursive --format json --output {report} {arguments} {paths}",
        form="bandit",
        report="bandit.json",
        install="pipx install bandit, or uv tool install bandit",
    ),
    Scanner(
        "ruff",
        "the same by ruff's rules S, faster and with less detail",
        "ruff check --select S --no-cache --output-format sarif --output-file {report} {arguments} {paths}",
        form="ruff",
        report="ruff.sarif",
        guard="sh -c 'ruff check --show-files \"$@\" | grep -q .' ruff {paths}",
        install="pipx install ruff, or uv tool install ruff",
    ),
    Scanner(
        "semgrep",
        "patterns in source of many languages; rules by `arguments: [--config, rules/]`",
        "semgrep scan --metrics off --disable-version-check --sarif --output {report} {arguments} {paths}",
        form="semgrep",
        report="semgrep.sarif",
        ageing=True,
        install="pipx install semgrep, or uv tool install semgrep",
    ),
    Scanner(
        "kingfisher",
        "passwords, keys and tokens",
        "kingfisher scan {paths} --no-validate --no-update-check --redact --git-history none --format sarif "
        "--no-dedup --output {report} {arguments}",
        report="kingfisher.sarif",
        history=True,
        install="pipx install kingfisher-bin, or uv tool install kingfisher-bin",
    ),
    Scanner(
        "pip-audit",
        "known vulnerabilities of Python packages, pinned in requirements files",
        "pip-audit --disable-pip --no-deps --progress-spinner off --format json --output {report} {arguments} {paths}",
        form="pip-audit",
        report="pip-audit.json",
        paths=("requirements.txt",),
        path="--requirement {path}",
        ageing=True,
        install="pipx install pip-audit, or uv tool install pip-audit",
    ),
    Scanner(
        "uv audit",
        "known vulnerabilities of what uv.lock names",
        "sh -c 'uv audit --frozen --preview-features audit-command --output-format sarif \"$@\" > {report}' "
        "uv {arguments}",
        report="uv-audit.sarif",
        paths=(),
        ageing=True,
        install="pipx install uv, or see https://docs.astral.sh/uv",
    ),
    Scanner(
        "npm audit",
        "known vulnerabilities of what package-lock.json names",
        "sh -c 'npm audit --json \"$@\" > {report}' npm {arguments}",
        form="npm-audit",
        report="npm-audit.json",
        paths=(),
        ageing=True,
        install="it comes with Node.js",
    ),
    Scanner(
        "trivy",
        "known vulnerabilities of what an image or a folder holds",
        "trivy filesystem --quiet --format sarif --output {report} {arguments} {paths}",
        report="trivy.sarif",
        single=True,
        image="trivy image --quiet --input {image} --format sarif --output {report} {arguments}",
        ageing=True,
        install="see https://trivy.dev",
    ),
    Scanner(
        "grype",
        "the same by grype",
        "grype {paths} --quiet --output sarif --file {report} {arguments}",
        report="grype.sarif",
        path="dir:{path}",
        single=True,
        image="grype oci-dir:{image} --quiet --output sarif --file {report} {arguments}",
        ageing=True,
        install="see https://github.com/anchore/grype",
    ),
)


def find_scanner(name: str) -> Scanner:
    """The scanner of that name.

    Raises:
        KeyError: there is none.
    """
    return {one.name: one for one in SCANNERS}[name]  # type: ignore[index]


def steps_of(
    scanner: Scanner,
    *,
    paths: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
    image: str | None = None,
    history: bool = False,
) -> tuple[str, ...]:
    """The commands of a scan.

    Paths that are named must be there: a scanner that looks at nothing finds nothing, and some say so without a word.

    Args:
        scanner: which one.
        paths: what it looks at; empty: what it looks at by itself.
        arguments: further ones, of the user's.
        image: name of an image that it looks at in place of paths, for one platform, which `by_platform` fills in.
        history: what commits added lies beside the checkout, and is looked at too.
    """
    looked_at = (*(paths or scanner.paths), *((PLACE,) if history else ()))
    values = {
        "{report}": scanner.report,
        "{paths}": " ".join(scanner.path.replace("{path}", shlex.quote(path)) for path in looked_at),
        "{arguments}": shlex.join(arguments),
        "{image}": f"images/{platform_layout(image or '', f'{{{PLATFORM}}}')}",
    }
    there = tuple(shlex.join(["test", "-e", path]) for path in paths)
    lines = [scanner.image] if image is not None else [*([scanner.guard] if scanner.guard else []), scanner.command]
    for name, value in values.items():
        lines = [line.replace(name, value) for line in lines]
    return (*there, *(line.strip() for line in lines))
