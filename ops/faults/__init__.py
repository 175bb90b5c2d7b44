"""
Violence: a whole genq, broken in many ways while it works, and what it has promised counted
afterwards. `make faults`; docs/faults.md says what is broken how.
"""
