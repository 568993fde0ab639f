"""Run on a file system with little room: says what each way to make an artifact answers, and what it leaves."""

import json
import sys
from pathlib import Path

from fairway.adapters.artifacts.local.store import LocalArtifacts
from fairway.adapters.sources.git import GitSource
from fairway.domain.errors import FairwayError


def main() -> None:
    repository, artifacts, elsewhere = (Path(name) for name in sys.argv[1:])
    source = GitSource(repository)
    store = LocalArtifacts(artifacts, "shop", source)
    answers = {}

    def attempt(name, action):
        try:
            action()
            answers[name] = "done"
        except FairwayError as error:
            answers[name] = type(error).__name__
            answers[f"{name} says"] = error.message
        answers[f"{name} left"] = [path.name for path in (artifacts / "shop").glob("*") if path.name != ".store"]

    def build(release, *steps):
        store.build(source.resolve(release), steps, timeout=120, log=lambda _: None)

    attempt("export", lambda: build("big"))
    attempt("step", lambda: build("small", "dd if=/dev/zero of=filling bs=64k count=100"))
    attempt("adopt", lambda: store.adopt(str(elsewhere), version="1.0.0"))
    attempt("small", lambda: build("small"))
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
