"""Canary analysis: evidence from traffic, and the verdict.

Anytime-valid tests (e-processes) on blocks of finished requests. Standard library only, no clock, no input or
output: snapshots come in, an assessment goes out, and the whole state is a JSON value that can be stored.

Read `analysis.py` first, then `lanes/`, then `margin.py` and `capital.py` for the arithmetic.
"""

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.evidence import Assessment, Counts, Decision, Evidence, LaneEvidence
from fairway.domain.analysis.instances import InstanceHealth
from fairway.domain.analysis.policy import PRESETS, AnalysisPolicy
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot

__all__ = [
    "PRESETS",
    "Analysis",
    "AnalysisPolicy",
    "Assessment",
    "Counts",
    "Decision",
    "Evidence",
    "InstanceHealth",
    "InstanceTraffic",
    "LaneEvidence",
    "RevisionTraffic",
    "TrafficSnapshot",
]
