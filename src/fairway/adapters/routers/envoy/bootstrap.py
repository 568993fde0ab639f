"""What Envoy starts with: listeners, counting and the admin socket. It changes only with the router's own settings.

Listeners stand here and not in a file of their own: an Envoy that cannot bind its address then ends, and the
supervisor tries again until it can, with no controller alive. From a file it would go on running without listening.
"""

from pathlib import Path

from fairway.adapters.routers.envoy.addresses import Address
from fairway.adapters.routers.envoy.folder import Json
from fairway.adapters.routers.envoy.names import MAIN, METADATA, PREVIEW, REVISION_HEADER

# Relative to the process's working folder: a socket's path may have no more than 107 bytes.
ADMIN_SOCKET = "admin.sock"
CLUSTERS_FILE = "clusters.json"
COUNTERS = "attempts"

_TYPE = "type.googleapis.com/"
# Requests that name their revision by the header are left out: nobody drew lots for them.
_DRAWN: Json = {"header_filter": {"header": {"name": REVISION_HEADER, "present_match": True, "invert_match": True}}}
_SERVED_BY: tuple[Json, ...] = (
    {"name": "revision", "value_format": f"%UPSTREAM_METADATA({METADATA}:revision_tag)%"},
    {"name": "instance", "value_format": f"%UPSTREAM_METADATA({METADATA}:instance_tag)%"},
)
_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def routes_file(listener: str) -> str:
    """File name of a listener's routes."""
    return f"routes-{listener}.json"


def bootstrap(folder: Path, main: Address, preview: Address | None, trusted_hops: int) -> Json:
    """The whole bootstrap."""
    listeners = [_listener(folder, MAIN, main, trusted_hops, counted=True)]
    if preview is not None:
        listeners.append(_listener(folder, PREVIEW, preview, trusted_hops, counted=False))
    paths = [{"prefix": "/stats"}, {"prefix": "/clusters"}, {"exact": "/ready"}]
    return {
        "node": {"id": "fairway", "cluster": "fairway"},
        "admin": {"address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}}, "allow_paths": paths},
        # Else histograms are up to five seconds old.
        "stats_flush_on_admin": True,
        "dynamic_resources": {"cds_config": _file(folder / CLUSTERS_FILE)},
        "static_resources": {"listeners": listeners},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": _TYPE
                        + "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": 50000,
                    },
                }
            ]
        },
    }


def _listener(folder: Path, name: str, address: Address, trusted_hops: int, *, counted: bool) -> Json:
    router: Json = {
        "@type": _TYPE + "envoy.extensions.filters.http.router.v3.Router",
        "suppress_envoy_headers": True,
    }
    manager: Json = {
        "@type": _TYPE + _MANAGER,
        "stat_prefix": name,
        "rds": {"route_config_name": name, "config_source": _file(folder / routes_file(name))},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": router | ({"upstream_log": [_attempt_counters(), _answer_times()]} if counted else {}),
            }
        ],
        # The peer's address counts and is appended to X-Forwarded-For; no peer may steer Envoy by its own headers.
        "use_remote_address": True,
        # With trusted proxies before this one, their X-Forwarded-Proto stays; else it says how the peer connected.
        "xff_num_trusted_hops": trusted_hops,
        "internal_address_config": {"unix_sockets": False},
        "server_header_transformation": "PASS_THROUGH",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_protocol_options": {"accept_http_10": True},
        # Envoy's own five minutes would cut a quiet stream or WebSocket.
        "stream_idle_timeout": "3600s",
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": address.host, "port_value": address.port}},
        # Shared ports would let a second proxy take half of the connections without a word.
        "enable_reuse_port": False,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _attempt_counters() -> Json:
    """Counts each attempt where it was served, also one whose failure no user saw."""
    tags = [
        *_SERVED_BY,
        {"name": "code", "value_format": "%RESPONSE_CODE%"},
        {"name": "flags", "value_format": "%RESPONSE_FLAGS%"},
        {"name": "try", "value_format": "%REQ(X-ENVOY-ATTEMPT-COUNT)%"},
    ]
    return {
        "name": "attempts",
        "filter": _DRAWN,
        "typed_config": {
            "@type": _TYPE + "envoy.extensions.access_loggers.stats.v3.Config",
            "stats_scope": {"prefix": COUNTERS},
            "counters": [{"stat": {"name": "ended", "tags": tags}, "value_fixed": 1}],
        },
    }


def _answer_times() -> Json:
    """How long first tries took that were answered without failing.

    Attempts without an answer have no time, and are left out by themselves.
    """
    first = {
        "name": "x-envoy-attempt-count",
        "string_match": {"safe_regex": {"regex": "1?"}},
        "treat_missing_header_as_empty": True,
    }
    below_500 = {"comparison": {"op": "LE", "value": {"default_value": 499, "runtime_key": "fairway.unset"}}}
    filters = [_DRAWN, {"header_filter": {"header": first}}, {"status_code_filter": below_500}]
    time = {"stat": {"name": "time", "tags": list(_SERVED_BY)}, "unit": "Microseconds"}
    return {
        "name": "times",
        "filter": {"and_filter": {"filters": filters}},
        "typed_config": {
            "@type": _TYPE + "envoy.extensions.access_loggers.stats.v3.Config",
            "stats_scope": {"prefix": COUNTERS},
            "histograms": [time | {"value_format": "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%"}],
        },
    }


def _file(path: Path) -> Json:
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}
