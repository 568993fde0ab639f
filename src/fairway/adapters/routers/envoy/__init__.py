"""The router `envoy`: one Envoy for each environment, configured by files that are replaced atomically.

| module | what it does |
|---|---|
| `router` | the port's four methods |
| `transition` | the order in which a change is made and confirmed |
| `routing`, `clusters`, `bootstrap` | what is written: routes, revisions, listeners and the counting |
| `folder`, `ledger` | where it is written: atomic files; the lock, the epoch and what was confirmed |
| `process`, `binary`, `addresses` | the running proxy, its program and its listen addresses |
| `admin`, `telemetry` | what is read back: versions, health, counters |
"""

from fairway.adapters.routers.envoy.router import EnvoyRouter

__all__ = ["EnvoyRouter"]
