"""What releases must have shown before they may be deployed, from the measurements that are kept."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairway.bootstrap.project import Project
    from fairway.domain.rollout.revision import Artifact, Revision
    from fairway.domain.rollout.spec import EnvironmentSpec
    from fairway.usecases.answers import Declined


def demands_of(project: "Project") -> "Callable[[EnvironmentSpec, Artifact, Revision | None], Declined | None]":
    """Says why an artifact may not replace what is live in an environment; everything is loaded when it is asked."""

    def find(environment: "EnvironmentSpec", artifact: "Artifact", live: "Revision | None") -> "Declined | None":
        from fairway.bootstrap.bench import open_bench
        from fairway.usecases.bench.gate import find_refusal

        bench = open_bench(project.config)
        return find_refusal(
            bench.baselines,
            bench.service,
            environment.demands,
            bench.spec.expect,
            artifact=artifact,
            live=None if live is None else live.artifact,
        )

    return find
