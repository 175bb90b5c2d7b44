"""Whether a job was paid for, as text."""

from generation.job import Billed, Job, JobState


def bill_in_words(job: Job) -> str:
    """Return what is known about the bill now."""
    match job.billed:
        case Billed.NO if job.is_terminal:
            return "Nothing was bought."
        case Billed.NO:
            return "Nothing has been bought so far."
        case Billed.YES:
            return "The upstream accepted it, so it is on your bill there."
        case Billed.UNKNOWN if job.state in {JobState.SUBMITTING, JobState.IN_DOUBT}:
            return "It may have been bought: nobody can say before the upstream has answered."
        case Billed.UNKNOWN:
            return "It may have been bought: your bill at the station says so, genq cannot."
