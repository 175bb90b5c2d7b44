"""The stored transcript of an upstream's answer."""

from generation.contract.reply import Reply
from generation.upstream.transcript import MAX_TRANSCRIPT_CHARACTERS, transcript_of


def test_a_transcript_has_status_and_body() -> None:
    assert transcript_of(Reply(502, b"<html>\0no</html>")) == "HTTP 502\n<html>no</html>"
    assert transcript_of(Reply(200, b"\xff")) == "HTTP 200\n\ufffd"


def test_a_long_transcript_is_cut_around_the_task() -> None:
    body = (
        b"x" * 3 * MAX_TRANSCRIPT_CHARACTERS
        + b'{"id": "task-7", "progress": 40}'
        + b"y" * 3 * MAX_TRANSCRIPT_CHARACTERS
    )
    transcript = transcript_of(Reply(200, body), around="task-7")
    assert '"task-7", "progress": 40' in transcript
    assert len(transcript) == len("HTTP 200\n") + MAX_TRANSCRIPT_CHARACTERS
