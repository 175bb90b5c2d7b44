"""
When it is worth asking the API about a job again.
"""

#: Seconds between two questions about one job.
SHORTEST = 1.0
LONGEST = 10.0


def poll_pause(waited: float, hint: float | None) -> float:
    """
    Seconds until the next question: what the API asked for, else a tenth of what the job has been
    waited for; never so long that a person would think the command had died.
    """
    return min(max(waited / 10 if hint is None else hint, SHORTEST), LONGEST)
