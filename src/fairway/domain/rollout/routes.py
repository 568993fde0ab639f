"""The routing that one environment should have: desired state, never a delta.

Requests are divided between the candidate and the stable revision by weight; a baseline takes its part of what stable
would get. A warm revision gets no request but keeps its cluster, so that traffic can return to it by a change of weight
alone.
"""

from dataclasses import dataclass
from typing import Literal

from fairway.domain.analysis.same_age import baseline_share
from fairway.domain.rollout.revision import Endpoint


@dataclass(frozen=True, slots=True)
class Backend:
    """The instances of one revision that may receive requests.

    Attributes:
        revision: the revision's id.
        endpoints: instances in rotation.
        draining: instances that finish what they have and get nothing new.
        ready_path: path for active health checks; None: a TCP connect is the check.
    """

    revision: str
    endpoints: tuple[Endpoint, ...]
    draining: tuple[Endpoint, ...] = ()
    ready_path: str | None = None


@dataclass(frozen=True, slots=True)
class Stickiness:
    """What all requests of one user have in common, so that all of them go to the same revision.

    Requests without it are divided one by one. A user who was given the candidate keeps it while the weight rises.

    Attributes:
        kind: where it stands in a request.
        name: of the cookie or of the header.
    """

    kind: Literal["cookie", "header"]
    name: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """Copies of users' requests go to the candidate as well; nobody sees its answers.

    Attributes:
        share: percent of the requests that are copied, above 0, at most 100.
        unsafe: also requests that change something, so that each of them changes it twice.
    """

    share: float
    unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Routes:
    """The whole routing of one environment.

    Attributes:
        stable: id of the revision that serves by default; None before the first deployment has been switched.
        candidate: id of the revision being introduced; None when there is none.
        weight: share of requests to the candidate in percent, 0 to 100, in steps of 0.01.
        backends: one for each revision that runs, in any order; holds stable, candidate and baseline if they are named.
            What fails on the candidate or on the baseline is answered by stable.
        sticky: by what users are kept on one revision; None: each request is divided by itself.
        mirror: what the candidate, and the baseline, get copies of while they have no weight; None: nothing.
        baseline: id of the revision that the candidate is compared with in place of stable; None: there is none.
    """

    stable: str | None
    candidate: str | None
    weight: float
    backends: tuple[Backend, ...]
    sticky: Stickiness | None = None
    mirror: Mirror | None = None
    baseline: str | None = None

    @property
    def baseline_weight(self) -> float:
        """Share of requests to the baseline in percent; it follows from the weight, so that one number moves all."""
        return baseline_share(self.weight) if self.baseline is not None else 0.0
