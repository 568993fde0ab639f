"""What a release learns of the rollout that it goes on to."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from fairway.bootstrap.releasing import ProjectDeployments
from fairway.usecases.answers import Declined, Unchanged


@dataclass(frozen=True)
class Answering:
    """In place of what deploys: gives an answer, and starts nothing."""

    answer: Any
    new_run: Any = None

    def start(self, _: object) -> Any:
        return self.answer


def ensure(answer: Any) -> tuple[str | None, Any]:
    deployments = ProjectDeployments(SimpleNamespace(deployer=lambda _: Answering(answer)))  # type: ignore[arg-type]
    refusal = deployments.ensure_started("r-1", digest="sha256:1", environment="staging", actor="ann")
    return refusal, deployments


def test_a_release_whose_artifact_is_live_already_has_arrived():
    refusal, deployments = ensure(Unchanged(None, "1.0.0 is live in staging already"))
    assert refusal is None
    state = deployments.observe("r-1")
    assert (state.outcome, state.reason) == ("completed", "1.0.0 is live in staging already")


def test_a_release_that_may_not_go_there_is_told_why():
    refusal, _ = ensure(Declined("closed", "a freeze.", "wait"))
    assert refusal == "a freeze. wait"
