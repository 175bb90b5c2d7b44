"""Benchmarks of genq against what people would build without it.

`make bench` runs all of them and prints tables; docs/benchmarks.md has the figures.
"""
