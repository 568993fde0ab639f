"""The router as the live revision knows it, which a plan remembers for its way back."""

from dataclasses import replace

from fairway.domain.rollout.plan import Plan
from fairway.ports.journal import EnvironmentState, Journal


def remember_router(plan: Plan, state: EnvironmentState, journal: Journal) -> Plan:
    """The plan with the router of the run that made the live revision live, where the plan's own is another.

    Whoever goes back must find the users where they were: a new address in the configuration is part of what failed.
    """
    if state.by is None:
        return plan
    former = journal.load(state.by).plan.router
    return plan if former == plan.router else replace(plan, former_router=former)
