"""A load generator that does not flatter: open loop, constant rate, no retries, latency from the intended moment.

It runs as a process of its own, `python -m fairway.adapters.load URL …`, with the standard library only. `process.Load`
starts one from Python.
"""
