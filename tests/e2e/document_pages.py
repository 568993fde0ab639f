"""Reads the documentation: pages, their blocks, and the commands in them.

    ```console                    commands that a test runs, each after `$ `, with the output that must come
    ```LANG title="FILE"          a file that the reader writes, and so does the test
    ```json title="fairway …"     what the command prints: the test compares the keys
    ```sh                         commands that a test cannot run; those of Fairway must parse at least

A command that must fail ends with the comment `# exits with N`. In outputs `...` stands for any text, and for any
number of lines where it stands alone.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")
_TITLE = re.compile(r"""title=(?P<quote>["'])(?P<title>.*?)(?P=quote)""")
_STATUS = re.compile(r"# exits with (\d)\s*$")


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its first line of content, from 1."""

    language: str
    title: str
    text: str
    line: int


@dataclass(frozen=True)
class ShellCommand:
    """A command of a `console` block, with what must come of it."""

    text: str
    expected: tuple[str, ...]
    status: int
    line: int


@dataclass(frozen=True)
class Page:
    path: Path
    text: str
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def prose(self) -> str:
        """The text without its blocks."""
        lines, inside = [], False
        for line in self.text.splitlines():
            fence = _FENCE.match(line)
            lines.append("" if fence or inside else line)
            inside = inside != bool(fence)
        return "\n".join(lines)

    @property
    def runs(self) -> bool:
        return any(block.language == "console" or block.title.startswith("fairway ") for block in self.blocks)


def read_page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    return Page(path, text, tuple(_blocks(text)))


def list_pages() -> list[Page]:
    """README, CONTRIBUTING and everything below docs."""
    places = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [read_page(path) for path in places]


def commands_of(block: Block) -> list[ShellCommand]:
    """The commands of a `console` block; lines that begin with `> ` go on with the command before."""
    found: list[ShellCommand] = []
    lines = block.text.splitlines()
    position = 0
    while position < len(lines):
        start = position
        if not lines[position].startswith("$ "):
            raise ValueError(f"line {block.line + position}: a console block begins with a command after '$ '")
        command = [lines[position][2:]]
        position += 1
        while position < len(lines) and lines[position].startswith("> "):
            command.append(lines[position][2:])
            position += 1
        output = []
        while position < len(lines) and not lines[position].startswith("$ "):
            output.append(lines[position].rstrip())
            position += 1
        status = _STATUS.search(command[-1])
        line = block.line + start
        found.append(ShellCommand("\n".join(command), tuple(output), int(status[1]) if status else 0, line))
    return found


def _blocks(text: str):
    opened: tuple[str, str, int, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if fence is None:
            lines.append(line[opened[3] :] if opened else line)
        elif opened is None:
            title = _TITLE.search(fence["info"])
            language = fence["info"].split(" ")[0].strip()
            opened, lines = (language, title["title"] if title else "", number + 1, len(fence["indent"])), []
        else:
            yield Block(opened[0], opened[1], "\n".join(lines) + "\n", opened[2])
            opened = None
