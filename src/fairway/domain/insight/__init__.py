"""What is learnt from what was done: baselines of performance, and comparisons."""
