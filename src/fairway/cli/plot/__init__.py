"""Pictures of the course of a run's evidence: for a terminal, as SVG, as PNG.

`scene.py` decides what is to be seen, in seconds, ratios and e-values; `scale.py` maps values to places; `terminal.py`
and `svg.py` draw. Nothing here decides anything about a run.
"""
