"""What is kept of an upstream's answer: its status and its body, cut."""

from generation.contract.reply import Reply
from generation.upstream.transcript import MAX_TRANSCRIPT_CHARACTERS, transcript_of


def test_the_status_and_the_body_are_kept() -> None:
    assert transcript_of(Reply(502, b"<html>\0no</html>")) == "HTTP 502\n<html>no</html>"
    assert transcript_of(Reply(200, b"\xff")) == "HTTP 200\n\ufffd"


def test_of_a_long_answer_the_part_about_the_task_is_kept() -> None:
    body = (
        b"x" * 3 * MAX_TRANSCRIPT_CHARACTERS
        + b'{"id": "task-7", "progress": 40}'
        + b"y" * 3 * MAX_TRANSCRIPT_CHARACTERS
    )
    words = transcript_of(Reply(200, body), around="task-7")
    assert '"task-7", "progress": 40' in words
    assert len(words) == len("HTTP 200\n") + MAX_TRANSCRIPT_CHARACTERS
