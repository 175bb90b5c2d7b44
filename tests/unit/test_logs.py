"""One event, one line, whatever is in it."""

from generation.logs import wait_queue_of


def line(**event: object) -> str:
    said = {"timestamp": "2026-01-31T12:00:00Z", "level": "info", "event": "look"} | event
    return wait_queue_of(None, "info", {"logger": "worker.polling.poller", **said})


def test_a_line_says_what_happened_where_and_to_what() -> None:
    assert line(job_id="job_1", reason=None, attempt=2).split() == [
        "2026-01-31T12:00:00Z",
        "[info",
        "]",
        "look",
        "[worker.polling.poller]",
        "job_id=job_1",
        "reason=None",
        "attempt=2",
    ]


def test_what_would_be_mistaken_for_something_else_is_quoted() -> None:
    assert line(reason="too = many").endswith(" reason='too = many'")
    assert line(reason="one\ntwo").endswith(r" reason='one\ntwo'")
    assert line(reason="").endswith(" reason=''")


def test_a_traceback_follows_its_line() -> None:
    shown = line(exception="Traceback …\nKeyError")
    assert shown.endswith("[worker.polling.poller]\nTraceback …\nKeyError")
