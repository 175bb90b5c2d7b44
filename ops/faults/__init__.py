"""Fault injection: a whole genq is broken in many ways while it works.

Afterwards its promises are counted. `make faults`; docs/faults.md describes it.
"""
