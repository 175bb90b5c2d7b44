"""What is kept of an upstream's words: cut, and without our secrets."""

from generation.heard import HIDDEN, KEPT, words_of
from generation.reply import Reply

SECRET = "sk-0123456789abcdef"


def test_the_status_and_the_body_are_kept() -> None:
    assert words_of(Reply(502, b"<html>\0no</html>"), []) == "HTTP 502\n<html>no</html>"
    assert words_of(Reply(200, b"\xff"), []) == "HTTP 200\n\ufffd"


def test_our_secrets_are_hidden() -> None:
    body = f"no such key {SECRET}, Bearer {SECRET}".encode()
    assert (
        words_of(Reply(401, body), [SECRET]) == f"HTTP 401\nno such key {HIDDEN}, Bearer {HIDDEN}"
    )


def test_a_cut_leaves_no_half_of_a_secret() -> None:
    body = b"x" * (KEPT - 8) + SECRET.encode() + b"y" * KEPT
    words = words_of(Reply(200, body), [SECRET])
    assert SECRET[:6] not in words
    assert len(words) == len("HTTP 200\n") + KEPT


def test_of_a_long_answer_the_part_about_the_task_is_kept() -> None:
    body = b"x" * 3 * KEPT + b'{"id": "task-7", "progress": 40}' + b"y" * 3 * KEPT
    words = words_of(Reply(200, body), [], about="task-7")
    assert '"task-7", "progress": 40' in words
    assert len(words) == len("HTTP 200\n") + KEPT
