"""Measures what Fairway promises, beside its peers and under the same load: `python -m benchmarks`.

Every figure stands beside its limit or its peer from the same run, and beside the processor time that others used
meanwhile: on a busy machine a slow answer says little about whoever was measured.
"""
