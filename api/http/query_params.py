"""
What lists have in common in their query parameters.
"""

import re

from api.http.problem_types import INVALID_QUERY
from api.http.problems import Problem

MOST = 100


USUAL = 50


def read_limit(value: str | None) -> int:
    if value is None:
        return USUAL
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 1 <= int(value) <= MOST:
        raise unusable(f"limit must be a whole number from 1 to {MOST}")
    return int(value)


def unusable(detail: str) -> Problem:
    return Problem(INVALID_QUERY, detail)
