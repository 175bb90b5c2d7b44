"""How often a client polls a job."""

#: Limits of the seconds between two polls of a job.
SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 10.0


def poll_pause(waited: float, hint: float | None) -> float:
    """Return the seconds until the next poll.

    Uses the API's hint, else a tenth of the time waited so far; limited so that a user sees
    progress.
    """
    return min(max(waited / 10 if hint is None else hint, SHORTEST_PAUSE), LONGEST_PAUSE)
