"""Makes a repository of a given number of commits and tags, the same one each time."""

import random
import subprocess
from pathlib import Path

_TYPES = ["feat"] * 3 + ["fix"] * 5 + ["chore"] * 6 + ["docs"] * 3 + ["refactor"] * 2 + ["test"] * 2 + ["perf"]
_WORDS = [
    "request",
    "buffer",
    "cache",
    "parser",
    "token",
    "stream",
    "header",
    "worker",
    "retry",
    "queue",
    "lock",
    "index",
    "branch",
    "cluster",
    "metric",
    "socket",
    "upload",
    "schema",
    "config",
    "report",
]
_BEGIN = 1_400_000_000


class _Stream:
    """What `git fast-import` reads."""

    def __init__(self, folder: Path) -> None:
        self._chance = random.Random(1)
        self._process = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE)
        self._mark, self._when = 0, _BEGIN

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())

    def commit(self, branch: str, message: str, parents: list[int]) -> int:
        self._mark += 1
        self._when += self._chance.randint(60, 7200)
        person = f"Person {self._chance.randrange(80)}"
        who = f"{person} <{person.replace(' ', '.').lower()}@example.org> {self._when} +0000"
        links = "".join(f"{'merge' if place else 'from'} :{one}\n" for place, one in enumerate(parents))
        self._write(
            f"commit refs/heads/{branch}\nmark :{self._mark}\nauthor {who}\ncommitter {who}\n"
            f"data {len(message.encode())}\n{message}\n{links}"
            f"M 644 inline src/{self._chance.randrange(400)}.txt\ndata {len(str(self._mark))}\n{self._mark}\n\n"
        )
        return self._mark

    def tag(self, name: str, commit: int, *, annotated: bool) -> None:
        if annotated:
            who = f"A Person <person@example.org> {self._when} +0000"
            self._write(f"tag {name}\nfrom :{commit}\ntagger {who}\ndata {len(name)}\n{name}\n")
        else:
            self._write(f"reset refs/tags/{name}\nfrom :{commit}\n\n")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait() == 0, "git fast-import failed"

    def message(self, number: int) -> tuple[str, int]:
        """A message and how far it moves the version: half with the number of a pull request, some with a body."""
        pick = self._chance
        kind, breaks = pick.choice(_TYPES), pick.random() < 0.002
        scope = f"({pick.choice(_WORDS)})" if pick.random() < 0.6 else ""
        text = f"{kind}{scope}{'!' if breaks else ''}: {' '.join(pick.choices(_WORDS, k=6))}"
        level = 3 if breaks else {"feat": 2, "fix": 1, "perf": 1}.get(kind, 0)
        if pick.random() < 0.1:
            text, level = " ".join(pick.choices(_WORDS, k=6)), 0
        text += f" (#{number})" if pick.random() < 0.5 else ""
        if pick.random() < 0.4:
            text += "\n\n" + "\n".join(" ".join(pick.choices(_WORDS, k=11)) for _ in range(pick.randint(1, 12)))
        if pick.random() < 0.2:
            text += f"\n\nCloses #{number + 5}\nSigned-off-by: A Person <person@example.org>"
        return text, level

    def merges(self) -> bool:
        return self._chance.random() < 0.08


def generate(folder: Path, *, commits: int, tags: int) -> None:
    """A history with merges, and a tag as often as the numbers say; half of the tags are annotated."""
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True)
    stream, last, number = _Stream(folder), 0, 0
    version, level, tagged = (0, 1, 0), 0, 0
    while number < commits:
        number += 1
        text, moves = stream.message(number)
        parents = [last] if last else []
        if last and number < commits and stream.merges():
            side = stream.commit("side", text, parents)
            number += 1
            last = stream.commit("main", f"Merge pull request #{number} from example/side", [last, side])
        else:
            last = stream.commit("main", text, parents)
        level = max(level, moves)
        # The last commits are not released yet: there is something to decide.
        if number * tags >= (tagged + 1) * (commits - 5) and tagged < tags:
            version, level = _after(version, level), 0
            tagged += 1
            stream.tag("v" + ".".join(map(str, version)), last, annotated=tagged % 2 == 0)
    stream.commit("main", "fix: the last one", [last])
    stream.close()
    subprocess.run(["git", "pack-refs", "--all"], cwd=folder, check=True)
    subprocess.run(["git", "gc", "--quiet"], cwd=folder, check=True)


def _after(version: tuple[int, int, int], level: int) -> tuple[int, int, int]:
    major, minor, patch = version
    if level == 3:
        return major + 1, 0, 0
    return (major, minor + 1, 0) if level == 2 else (major, minor, patch + 1)
