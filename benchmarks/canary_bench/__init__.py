"""Canary analysis under simulated traffic: Fairway's beside the decision rules of others.

Traffic is drawn with numpy, second by second, for healthy and for bad candidates under many kinds of noise. Every
contestant sees the same draws. Ours is the product's own `Analysis`, driven as the engine drives it; the others are
re-implemented rules, not the programs: each says which repository and commit it was written from.
"""
