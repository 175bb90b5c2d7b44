"""
Measurements: genq against what people would build without it, on one machine and in one run.

`make bench` runs them all and prints tables; the figures in docs/benchmarks.md come from there.
"""
