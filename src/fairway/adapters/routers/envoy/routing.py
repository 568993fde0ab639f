"""Which request goes to which revision, and what is tried again where.

Methods that only read and fail on the candidate, or on the baseline, are tried again on stable after any failure, and
on another instance of it if that one does not answer. Others are tried again only where the first try cannot have been
processed. Stable is never asked again because of a 5xx answer: that would double its load when it is weakest, and count
its failures twice. A body beyond Envoy's buffer of 1 MiB is never sent a second time.
"""

from collections.abc import Callable

from fairway.adapters.routers.envoy.folder import Json
from fairway.adapters.routers.envoy.names import (
    ANSWER_HEADER,
    MAIN,
    METADATA,
    MIRROR_HEADER,
    PREVIEW,
    REVISION_HEADER,
    joint_cluster,
    reads_cluster,
)
from fairway.domain.rollout.routes import Routes, Stickiness

_TYPE = "type.googleapis.com/"
_READS: Json = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|OPTIONS"}}}
_NO_UPGRADE: Json = {"name": "upgrade", "present_match": True, "invert_match": True}
_NOT_PROCESSED = "connect-failure,refused-stream,reset-before-request"
_NOT_ANSWERED = "reset,connect-failure,refused-stream"
_NOT_GOOD = "retriable-headers,reset,connect-failure,refused-stream"

NOBODY = Routes(stable=None, candidate=None, weight=0, backends=())

# A weight of 100 percent in steps of 0.01.
_WHOLE = 10000

_OTHER_REVISION: Json = {
    "retry_priority": {
        "name": "envoy.retry_priorities.previous_priorities",
        "typed_config": {
            "@type": _TYPE + "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
            "update_frequency": 1,
        },
    }
}
_OTHER_INSTANCE: Json = {
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {"@type": _TYPE + "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
        }
    ],
    "host_selection_retry_max_attempts": 5,
}


def joint_pairs(routes: Routes) -> tuple[tuple[str, str], ...]:
    """The pairs (who serves, on whom it falls back) that these routes use."""
    stable = routes.stable
    if stable is None:
        return ()
    return tuple((one, stable) for one in (routes.candidate, routes.baseline) if one is not None)


def receivers(routes: Routes) -> tuple[str, ...]:
    """The revisions that users' requests go to by weight, and that nobody stands in for beforehand.

    Not the baseline: while none of its instances is healthy, stable gets its share.
    """
    named = ((routes.stable, routes.weight < 100), (routes.candidate, routes.weight > 0))
    return tuple(revision for revision, receives in named if receives and revision is not None)


def main_routes(routes: Routes, try_timeout: float | None) -> Json:
    """The route configuration of the users' listener."""
    pairs = dict(joint_pairs(routes))
    table = [
        # Who asks for a revision by name gets it, or is told; a test must not pass on the wrong revision.
        *_named("candidate", routes.candidate),
        *_named("stable", routes.stable),
        *_sticky_shares(routes),
        # The same random number decides every share of a request: both classes see the same division, and what is left
        # to the baseline lies above what the candidate has.
        *_share(routes.candidate, pairs.get(routes.candidate or ""), routes.weight, try_timeout),
        *_share(routes.baseline, pairs.get(routes.baseline or ""), _upper_edge(routes), try_timeout),
        *_mirrored(routes, _share(routes.stable, None, None, try_timeout)),
        _answer({"prefix": "/"}, 503, "no release is live here yet\n"),
    ]
    return _configuration(MAIN, table)


def preview_routes(routes: Routes) -> Json:
    """The route configuration of the preview listener: the candidate, unmasked, or nobody."""
    if routes.candidate is None:
        return _configuration(PREVIEW, [_answer({"prefix": "/"}, 503, "there is no candidate at present\n")])
    return _configuration(PREVIEW, [_forward({"prefix": "/"}, routes.candidate, None)])


def reading_policy(revision: str, try_timeout: float | None) -> Json:
    """How a request that only reads is tried again on the fallback."""
    policy = _again(_NOT_GOOD, 2) | _bad_answer(revision) | _OTHER_REVISION | _OTHER_INSTANCE
    return policy if try_timeout is None else policy | {"per_try_timeout": f"{try_timeout:.3f}s"}


def _upper_edge(routes: Routes) -> float:
    """Up to which percentage of the random number requests go to the baseline; 0: it gets none."""
    return routes.weight + routes.baseline_weight if routes.baseline_weight > 0 else 0.0


def _sticky_shares(routes: Routes) -> list[Json]:
    """The routes that divide users instead of requests; none where there is nothing to divide.

    One route holds all revisions, so that one hash decides. How to try again differs between them: the aggregate
    brings its own policy, which Envoy prefers to that of the route.
    """
    sticky, candidate, stable = routes.sticky, routes.candidate, routes.stable
    if sticky is None or candidate is None or stable is None or not 0 < routes.weight < 100:
        return []
    reads = {"prefix": "/", "headers": [_READS, _NO_UPGRADE]}
    return [
        _divide(routes, reads_cluster, reads, _again(_NOT_ANSWERED, 2), sticky),
        _divide(routes, joint_cluster, {"prefix": "/"}, _again(_NOT_PROCESSED, 2), sticky),
    ]


def _divide(routes: Routes, joint: Callable[[str, str], str], match: Json, again: Json, sticky: Stickiness) -> Json:
    share, beside = (round(weight * _WHOLE / 100) for weight in (routes.weight, routes.baseline_weight))
    # The candidate first: whoever falls into its share still does when the share grows. The baseline last: so do those
    # in its share, until the candidate takes the place of all others.
    parts = ((routes.candidate, share), (None, _WHOLE - share - beside), (routes.baseline, beside))
    stable = routes.stable or ""
    clusters = [
        {"name": stable if revision is None else joint(revision, stable), "weight": part}
        for revision, part in parts
        if part
    ]
    names = {"cookie": {"name": sticky.name}} if sticky.kind == "cookie" else {"header": {"header_name": sticky.name}}
    route: Json = {
        "weighted_clusters": {"clusters": clusters, "use_hash_policy": True},
        "hash_policy": [names],
        "timeout": "0s",
        "retry_policy": again | _OTHER_REVISION | _OTHER_INSTANCE,
    }
    return {"match": match, "route": route}


def _mirrored(routes: Routes, table: list[Json]) -> list[Json]:
    """The routes with copies to candidate and baseline: of those that only read, or of all where the user said so."""
    mirror = routes.mirror
    if mirror is None or routes.candidate is None or routes.weight > 0:
        return table
    policies = [
        {
            "cluster": revision,
            "runtime_fraction": {"default_value": _part(mirror.share)},
            # Applications refuse hosts that they do not know; a copy is marked by a header instead.
            "disable_shadow_host_suffix_append": True,
            "request_headers_mutations": [{"append": {"header": {"key": MIRROR_HEADER, "value": "true"}}}],
        }
        for revision in (routes.candidate, routes.baseline)
        if revision is not None
    ]
    copied = [{"request_mirror_policies": policies} if mirror.unsafe or _reads(one) else {} for one in table]
    return [one | {"route": one["route"] | more} for one, more in zip(table, copied, strict=True)]


def _reads(route: Json) -> bool:
    return _READS in route["match"].get("headers", ())


def _part(percent: float) -> Json:
    return {"numerator": round(percent * _WHOLE / 100), "denominator": "TEN_THOUSAND"}


def _named(name: str, revision: str | None) -> list[Json]:
    match: Json = {"prefix": "/", "headers": [{"name": REVISION_HEADER, "string_match": {"exact": name}}]}
    if revision is None:
        return [_answer(match, 404, f"there is no {name} revision at present\n")]
    return [_forward(match, revision, None)]


def _share(revision: str | None, fallback: str | None, weight: float | None, try_timeout: float | None) -> list[Json]:
    """The routes of one revision's share: first the methods that only read, then all; None: all that is left."""
    if revision is None or weight == 0:
        return []
    match: Json = {"prefix": "/"}
    if weight is not None:
        match["runtime_fraction"] = {"default_value": _part(weight)}
    if fallback is None:
        cluster, elsewhere = revision, _OTHER_INSTANCE
        reads = _again(_NOT_ANSWERED, 2) | elsewhere
    else:
        cluster, elsewhere = joint_cluster(revision, fallback), _OTHER_REVISION | _OTHER_INSTANCE
        reads = _again(_NOT_GOOD, 2) | _bad_answer(revision) | elsewhere
    table = [
        _forward(match | {"headers": [_READS]}, cluster, reads),
        _forward(match, cluster, _again(_NOT_PROCESSED, 2) | elsewhere),
    ]
    if try_timeout is not None:
        # Not for a WebSocket, which begins as a GET and would be cut.
        limited = reads | {"per_try_timeout": f"{try_timeout:.3f}s"}
        table.insert(0, _forward(match | {"headers": [_READS, _NO_UPGRADE]}, cluster, limited))
    return table


def _bad_answer(revision: str) -> Json:
    """An answer of this revision with a status of 5xx is as good as none."""
    return {"retriable_headers": [{"name": ANSWER_HEADER, "string_match": {"prefix": f"{revision} 5"}}]}


def _again(when: str, tries: int) -> Json:
    # Envoy's own pause of 25 ms would be added to every masked failure.
    pause = {"base_interval": "0.001s", "max_interval": "0.002s"}
    return {"retry_on": when, "num_retries": tries, "retry_back_off": pause}


def _forward(match: Json, cluster: str, again: Json | None) -> Json:
    # Without a timeout of its own, so that long answers, streams and WebSockets are not cut.
    route: Json = {"cluster": cluster, "timeout": "0s"}
    return {"match": match, "route": route if again is None else route | {"retry_policy": again}}


def _answer(match: Json, status: int, text: str) -> Json:
    return {"match": match, "direct_response": {"status": status, "body": {"inline_string": text}}}


def _configuration(name: str, table: list[Json]) -> Json:
    served_by = {"key": REVISION_HEADER, "value": f"%UPSTREAM_METADATA({METADATA}:revision)%"}
    return {
        "@type": _TYPE + "envoy.config.route.v3.RouteConfiguration",
        "name": name,
        # Without it, routes to an unknown cluster are accepted and answer 503.
        "validate_clusters": True,
        "response_headers_to_add": [{"header": served_by, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
        "response_headers_to_remove": [ANSWER_HEADER],
        # The number of the try tells first tries from repeated ones in the counters.
        "virtual_hosts": [{"name": "all", "domains": ["*"], "include_request_attempt_count": True, "routes": table}],
    }
