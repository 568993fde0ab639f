"""Crashes and lost readiness: rules, not statistics.

An instance of the candidate that restarted twice since the analysis began, or that the target calls a crash loop, or
that stays unready after it was ready, ends the rollout. Unless all of stable's instances are in the same trouble: then
the machine or something behind both is to blame, and the clock stands still. Once stable has been well again for as
long as an instance may be unready, what happened until then counts for nothing, if the candidate is well too.
"""

from dataclasses import dataclass, field

from fairway.domain.analysis.evidence import Finding

RESTARTS = 2


@dataclass(frozen=True, slots=True)
class InstanceHealth:
    """What the target observed of one instance.

    Attributes:
        ready: it answers its readiness check now.
        restarts: how often it was started again since it was first started.
        crash_loop: the target gave up, or waits longer and longer, starting it.
        was_ready: it was ready at some time.
        last_exit: how its last process ended, in words; empty if none did.
    """

    instance: str
    revision: str
    ready: bool
    restarts: int
    crash_loop: bool
    was_ready: bool
    last_exit: str


@dataclass(slots=True)
class InstanceWatch:
    """The instances of one revision since the analysis began.

    Attributes:
        restarts: restarts that do not count because they happened before, by instance.
        unready: seconds that each has been unready after it was ready.
        started: instances were seen before; those that come later begin at 0 restarts.
        total: restarts of all of them when they were last looked at in trouble.
        well: seconds since then for which all were ready and none was restarted.
    """

    restarts: dict[str, int] = field(default_factory=dict)
    unready: dict[str, float] = field(default_factory=dict)
    started: bool = False
    total: int = 0
    well: float = 0.0

    def observe(self, health: tuple[InstanceHealth, ...], *, seconds: float) -> None:
        """Adds an observation of this revision's instances; empty means that nothing was observed."""
        for one in health:
            known = self.restarts.get(one.instance, 0 if self.started else one.restarts)
            self.restarts[one.instance] = min(known, one.restarts)
            lost = one.was_ready and not one.ready
            self.unready[one.instance] = self.unready.get(one.instance, 0.0) + seconds if lost else 0.0
        if health:
            self.started = True
            present = {one.instance for one in health}
            self.unready = {name: since for name, since in self.unready.items() if name in present}

    def finding(self, health: tuple[InstanceHealth, ...], *, not_ready: float) -> Finding | None:
        """The first of the candidate's instances that breaks a rule."""
        for one in health:
            name = f"instance {one.instance} of the candidate"
            restarted = one.restarts - self.restarts.get(one.instance, one.restarts)
            ended = f" (last: {one.last_exit})" if one.last_exit else ""
            if one.crash_loop:
                return Finding("crash", f"{name} crashes again and again{ended}")
            if restarted >= RESTARTS:
                return Finding("crash", f"{name} had to be restarted {restarted} times{ended}")
            unready = self.unready.get(one.instance, 0.0)
            if unready >= not_ready:
                return Finding("not-ready", f"{name} has not been ready for {unready:.0f} s{ended}")
        return None

    def ended(self, health: tuple[InstanceHealth, ...]) -> dict[str, str]:
        """How the processes ended of those instances whose process did since the analysis began, in words."""
        return {
            one.instance: one.last_exit or "nobody saw how"
            for one in health
            if one.restarts > self.restarts.get(one.instance, one.restarts) or (one.last_exit and not one.ready)
        }

    def all_in_trouble(self, health: tuple[InstanceHealth, ...]) -> bool:
        """There are instances, and each crashes, was restarted, or lost its readiness."""
        return bool(health) and all(
            one.crash_loop
            or (one.was_ready and not one.ready)
            or one.restarts > self.restarts.get(one.instance, one.restarts)
            for one in health
        )

    def recover(self, health: tuple[InstanceHealth, ...], *, seconds: float) -> float:
        """Seconds for which instances that were in trouble have been well again."""
        total = sum(one.restarts for one in health)
        well = total == self.total and all(one.ready for one in health)
        self.total, self.well = total, self.well + seconds if well else 0.0
        return self.well

    def excuse(self, health: tuple[InstanceHealth, ...]) -> None:
        """What happened to these instances so far counts for nothing from now on."""
        self.restarts |= {one.instance: one.restarts for one in health}
        self.total, self.well = 0, 0.0
