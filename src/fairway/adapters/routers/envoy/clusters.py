"""What Envoy knows of revisions: a cluster for each, and aggregates that fall back from one to another.

A revision's cluster is the same text in every role (candidate, stable, warm), so that Envoy never builds it anew:
roles live in the routes. That is why ejection is on for all. It cannot stop a revision that stands alone: below one
per cent of usable endpoints Envoy uses all of them again, while in an aggregate the other revision takes over before.
"""

from pathlib import Path

from fairway.adapters.routers.envoy.folder import Json
from fairway.adapters.routers.envoy.names import (
    ANSWER,
    ANSWER_HEADER,
    METADATA,
    endpoints_file,
    joint_cluster,
    reads_cluster,
    to_tag,
)
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend

_TYPE = "type.googleapis.com/"

# Envoy's own limits (1024 requests, 3 retries at a time) turn masked failures into visible ones under load.
_LIMITS: Json = {
    "thresholds": [
        {
            "max_connections": 10000,
            "max_pending_requests": 10000,
            "max_requests": 10000,
            "retry_budget": {"budget_percent": {"value": 100}, "min_retry_concurrency": 1000},
        }
    ]
}

# One endpoint in a hundred: "route to the usable ones while there is one, to all when there is none".
_BALANCING: Json = {"healthy_panic_threshold": {"value": 1}}

_EJECTION: Json = {
    "consecutive_5xx": 10,
    "split_external_local_origin_errors": True,
    "consecutive_local_origin_failure": 3,
    # Passing health checks would put a broken endpoint back four times a second.
    "successful_active_health_check_uneject_host": False,
    "interval": "0.1s",
    # Short, and longer each time: an instance that crashed and is back soon serves again soon.
    "base_ejection_time": "5s",
    "max_ejection_percent": 100,
    # Judging success rates is the analysis's business.
    "enforcing_success_rate": 0,
    "enforcing_local_origin_success_rate": 0,
}

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_PROTOCOL: Json = {
    _HTTP: {
        "@type": _TYPE + _HTTP,
        "explicit_http_config": {"http_protocol_options": {}},
        # Below the keep-alive time of every common server (gunicorn 2 s, Node and uvicorn 5 s): a connection that the
        # server closes while a request is on its way fails that request.
        "common_http_protocol_options": {"idle_timeout": "1.5s"},
    }
}

# Who answered what, so that it can be told from the answer whether it is to be tried again.
_NAMED_ANSWERS: Json = {
    "http_filters": [
        {
            "name": "envoy.filters.http.header_mutation",
            "typed_config": {
                "@type": _TYPE + "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                "mutations": {
                    "response_mutations": [
                        {
                            "append": {
                                "header": {"key": ANSWER_HEADER, "value": ANSWER},
                                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                            }
                        }
                    ]
                },
            },
        },
        {
            "name": "envoy.filters.http.upstream_codec",
            "typed_config": {"@type": _TYPE + "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"},
        },
    ]
}


def revision_cluster(folder: Path, backend: Backend) -> Json:
    """The cluster of one revision; its endpoints come from a file of their own."""
    return {
        "@type": _TYPE + "envoy.config.cluster.v3.Cluster",
        "name": backend.revision,
        "type": "EDS",
        "connect_timeout": "2s",
        "eds_cluster_config": {
            "eds_config": {
                "path_config_source": {"path": str(folder / endpoints_file(backend.revision))},
                "resource_api_version": "V3",
            }
        },
        "ignore_health_on_host_removal": True,
        "common_lb_config": _BALANCING,
        "health_checks": [_health_check(backend.ready_path)],
        "outlier_detection": _EJECTION,
        "circuit_breakers": _LIMITS,
        "typed_extension_protocol_options": _PROTOCOL,
    }


def joint(first: str, second: str) -> Json:
    """The aggregate that serves from `first` and, where that cannot or did not answer, from `second`."""
    return _aggregate(joint_cluster(first, second), first, second)


def joint_for_reads(first: str, second: str, again: Json) -> Json:
    """The same with a policy of its own for trying again, which Envoy prefers to that of the route."""
    return _aggregate(reads_cluster(first, second), first, second, retry_policy=again)


def _aggregate(name: str, first: str, second: str, **options: Json) -> Json:
    return {
        "@type": _TYPE + "envoy.config.cluster.v3.Cluster",
        "name": name,
        "connect_timeout": "2s",
        "lb_policy": "CLUSTER_PROVIDED",
        "common_lb_config": _BALANCING,
        "cluster_type": {
            "name": "envoy.clusters.aggregate",
            "typed_config": {
                "@type": _TYPE + "envoy.extensions.clusters.aggregate.v3.ClusterConfig",
                # Each try goes to the next place: the third is again on the second, for an instance of it that has just
                # died cannot have answered.
                "clusters": [first, second, second],
            },
        },
        "circuit_breakers": _LIMITS,
        "typed_extension_protocol_options": {_HTTP: _PROTOCOL[_HTTP] | _NAMED_ANSWERS | options},
    }


def assignment(backend: Backend) -> Json:
    """The endpoints of one revision, each with what the counters and the response header call it."""
    states = [*((e, "HEALTHY") for e in backend.endpoints), *((e, "DRAINING") for e in backend.draining)]
    return {
        "@type": _TYPE + "envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": backend.revision,
        "endpoints": [
            {
                "lb_endpoints": [
                    {
                        "endpoint": {
                            "address": _address(endpoint),
                            # The host header of health checks: applications refuse hosts that they do not know.
                            "health_check_config": {"hostname": "localhost" if endpoint.socket else endpoint.place},
                        },
                        "health_status": state,
                        "metadata": {
                            "filter_metadata": {
                                METADATA: {
                                    "revision": backend.revision,
                                    "revision_tag": to_tag(backend.revision),
                                    "instance_tag": to_tag(endpoint.instance),
                                }
                            }
                        },
                    }
                    for endpoint, state in states
                ]
            }
        ],
    }


def _address(endpoint: Endpoint) -> Json:
    if endpoint.socket:
        return {"pipe": {"path": endpoint.socket}}
    return {"socket_address": {"address": endpoint.host, "port_value": endpoint.port}}


def _health_check(path: str | None) -> Json:
    check: Json = {
        "interval": "0.25s",
        # Without it a revision that has no traffic yet is looked at once a minute.
        "no_traffic_interval": "0.25s",
        "timeout": "1s",
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
    }
    if path is None:
        return check | {"tcp_health_check": {}}
    return check | {"http_health_check": {"path": path, "expected_statuses": [{"start": 200, "end": 300}]}}
