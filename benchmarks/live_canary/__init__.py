"""Real rollouts through Envoy onto a candidate whose fault is switched on in mid-flight.

What is measured: how long until Fairway takes the candidate back, how many requests failed on the candidate, and how
many users saw. Beside it stands what the rules of Argo Rollouts and Flagger would have said of the same recorded
series, continued as it was at its end.
"""
