"""For how long a process has heard that a task, or its file, is not there."""

from datetime import timedelta

from generation.contract.errors import ErrorCode, Fault, InDoubt, Rejected, UnrecognizedReply
from generation.contract.status import Running, Status
from tests.unit.jobs import at
from worker.polling.not_found import NotFoundTracker

UNKNOWN = Rejected("no such task", code=ErrorCode.NOT_FOUND)
EMPTY = UnrecognizedReply("done, no URL", code=ErrorCode.ASSET_MISSING)


def heard(missing: NotFoundTracker, answer: Status | Fault, second: float) -> float:
    return missing.heard("job_1", answer, at(second).now) / timedelta(seconds=1)


def test_each_lack_is_counted_from_its_first_answer() -> None:
    missing = NotFoundTracker()
    assert [heard(missing, EMPTY, second) for second in (10, 12, 70)] == [0, 2, 60]
    assert heard(missing, UNKNOWN, 71) == 0, "another lack"
    assert heard(missing, UNKNOWN, 90) == 19
    assert heard(missing, EMPTY, 91) == 0, "and it begins anew"


def test_what_says_nothing_of_the_task_changes_nothing() -> None:
    missing = NotFoundTracker()
    assert heard(missing, EMPTY, 10) == 0
    assert heard(missing, InDoubt("no answer"), 20) == 0
    assert heard(missing, EMPTY, 30) == 20
    assert heard(missing, Running(), 40) == 0
    assert heard(missing, EMPTY, 50) == 0, "it was in order meanwhile"
