"""What every plan promises about instances and weights, for any strategy and any counts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.domain.codec import from_json, to_json
from fairway.domain.rollout.plan import DEPLOY_STAGES, ROLLBACK_PHASES, Plan
from fairway.domain.rollout.spec import HttpCheck, StageChecks
from fairway.domain.rollout.steps import Promote, Scale, Shift, Watch
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rolling
from rollout_samples import Counts, begun, deployment, returning, scaling

SETTINGS = settings(max_examples=200, deadline=None)
CHECKS = StageChecks(commands=("true",), http=(HttpCheck("/"),))


@st.composite
def rollings(draw, instances):
    """As the configuration allows: not both 0, and never all instances missing."""
    unavailable = draw(st.integers(0, instances - 1))
    surge = draw(st.integers(0 if unavailable else 1, 6))
    return Rolling(max_surge=surge, max_unavailable=unavailable, bake=draw(st.sampled_from([0.0, 5.0])))


def canaries():
    below = st.lists(st.floats(0.1, 99.9).map(lambda weight: round(weight, 2)), max_size=5, unique=True)
    return st.builds(
        lambda weights, baseline: Canary(steps=(*sorted(weights), 100.0), baseline=baseline), below, st.booleans()
    )


@st.composite
def deployments(draw):
    """A plan with its strategy; `stable_instances` is 0 for a first deployment."""
    instances, present = draw(st.integers(1, 8)), draw(st.integers(0, 8))
    strategy = draw(st.one_of(rollings(instances), canaries(), st.builds(BlueGreen, keep=st.sampled_from([0.0, 60.0]))))
    stages = draw(st.sets(st.sampled_from(["validate", "migrate", "check", "verify"])))
    plan = deployment(
        strategy,
        first=present == 0,
        stable_instances=present,
        instances=instances,
        observe=draw(st.sampled_from([0.0, 30.0])),
        approvals=draw(st.integers(0, 2)),
        stages=dict.fromkeys(stages, CHECKS),
    )
    return plan, strategy


plans = st.one_of(
    deployments().map(lambda pair: pair[0]),
    st.builds(lambda count, strategy: returning(instances=count, strategy=strategy), st.integers(1, 8), canaries()),
    st.builds(lambda wanted, present: scaling(wanted, present=present), st.integers(1, 8), st.integers(1, 8)).filter(
        lambda plan: plan.instances != plan.rollback[0].step.count
    ),
)


def prefixes(plan: Plan):
    """The state after each step of the way there, from before the first."""
    for length in range(len(plan.forward) + 1):
        yield length, Counts.before(plan).take_all(plan.forward[:length])


@SETTINGS
@given(deployments())
def test_no_step_leaves_fewer_ready_instances_than_promised(pair):
    plan, strategy = pair
    if plan.stable is None:
        return
    missing = strategy.max_unavailable if isinstance(strategy, Rolling) else 0
    promised = min(plan.stable_instances, plan.instances - missing)
    for length, counts in prefixes(plan):
        # A baseline is there to be compared with, and may go at any time.
        assert counts.ready["stable"] + counts.ready["candidate"] >= promised, plan.forward[:length]


@SETTINGS
@given(deployments())
def test_no_step_starts_more_instances_than_promised(pair):
    plan, strategy = pair
    most = (
        plan.instances + strategy.max_surge if isinstance(strategy, Rolling) else plan.instances + plan.stable_instances
    )
    most += plan.instances if plan.baseline is not None else 0
    before = plan.stable_instances
    for _, counts in prefixes(plan):
        total = sum(counts.wanted.values())
        assert total <= max(most, before)
        before = min(before, total) if total <= most else total


@SETTINGS
@given(plans)
def test_requests_go_only_where_instances_are_ready(plan):
    """And what is retired had lost its requests before."""
    for length, counts in prefixes(plan):
        if plan.kind == "scale" or (plan.stable is None and counts.weight == 0.0):
            continue
        if counts.weight > 0.0:
            assert counts.ready["candidate"] > 0, plan.forward[:length]
        if counts.weight < 100.0:
            assert counts.ready["stable"] > 0, plan.forward[:length]
        if counts.beside > 0.0:
            assert counts.ready["baseline"] == counts.ready["candidate"], plan.forward[:length]


@SETTINGS
@given(plans)
def test_weights_only_rise_and_end_at_100(plan):
    weights = [planned.step.weight for planned in plan.forward if isinstance(planned.step, Shift)]
    assert weights == sorted(weights)
    assert weights[-1] == 100.0
    watched = Counts.before(plan)
    for planned in plan.forward:
        watched.take(planned)
        if isinstance(planned.step, Watch):
            assert planned.step.weight == watched.weight


@SETTINGS
@given(plans)
def test_the_way_there_ends_with_all_instances_of_the_candidate_and_none_of_stable(plan):
    end = Counts.before(plan).take_all(plan.forward)
    assert end.wanted["candidate"] == end.ready["candidate"] == plan.instances
    assert plan.stable is None or end.wanted["stable"] == 0
    assert end.wanted["baseline"] == 0
    assert sum(isinstance(planned.step, Promote) for planned in plan.forward) == 1


@SETTINGS
@given(plans)
def test_from_anywhere_before_the_commit_point_the_way_back_restores_what_was(plan):
    for length, counts in prefixes(plan):
        if length > plan.commit:
            break
        end = counts.take_all(plan.rollback)
        if plan.kind == "scale":
            assert (end.wanted["candidate"], end.weight) == (plan.rollback[0].step.count, 100.0)
            continue
        assert (end.wanted["candidate"], end.wanted["baseline"], end.weight) == (0, 0, 0.0)
        if plan.stable is not None:
            assert end.wanted["stable"] == end.ready["stable"] == plan.stable_instances


@SETTINGS
@given(plans)
def test_on_the_way_back_requests_never_go_where_nothing_is_ready(plan):
    if plan.kind == "scale" or plan.stable is None:
        return
    for length, counts in prefixes(plan):
        if length > plan.commit:
            break
        for planned in plan.rollback:
            counts.take(planned)
            assert counts.ready["stable" if counts.weight == 0.0 else "candidate"] > 0


@SETTINGS
@given(plans)
def test_after_the_commit_point_nothing_but_cleaning_up_is_left(plan):
    left = [planned.step for planned in plan.forward[plan.commit :]]
    assert left[:1] in ([], [Scale("stable", 0)])
    assert not any(isinstance(step, Shift | Watch | Promote) for step in left)
    assert any(isinstance(planned.step, Promote) for planned in plan.forward[: plan.commit])


@SETTINGS
@given(plans)
def test_stages_come_in_their_order_and_each_has_steps_or_a_reason(plan):
    order = list(ROLLBACK_PHASES if plan.kind == "rollback" else DEPLOY_STAGES)
    places = [order.index(planned.stage) for planned in plan.forward]
    assert places == sorted(places)
    reasons = dict(plan.skipped)
    if plan.kind != "scale":
        assert {planned.stage for planned in plan.forward} | set(reasons) == set(order)
    assert all(reasons.values())
    assert {planned.stage for planned in plan.rollback} <= {"switch"}


@SETTINGS
@given(plans)
def test_a_plan_survives_being_written_down(plan):
    assert from_json(Plan, to_json(plan)) == plan
    assert begun(plan).plan == plan
