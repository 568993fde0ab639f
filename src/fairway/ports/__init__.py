"""What Fairway needs from the world, as small Protocols with their outcome types.

`ensure_*` brings about a desired state and may be called again at any time; `observe_*` reads the world now; `list_*`
enumerates. Every effect carries an epoch, the fencing number of the lease under which it acts: an adapter refuses an
epoch lower than one it has seen for the same (service, environment) with `PermanentError("stale-epoch", …)`.
"""
