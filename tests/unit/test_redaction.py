"""Secrets that a station repeats are removed from its answers."""

import pytest

from generation.contract.reply import Reply
from generation.upstream.redaction import HIDDEN, redacted
from generation.upstream.transcript import MAX_TRANSCRIPT_CHARACTERS, transcript_of

SECRET = "sk-0123/456789abc"


@pytest.mark.parametrize(
    "spelled", [SECRET, "sk-0123\\/456789abc", "sk-0123%2F456789abc"], ids=["plain", "json", "url"]
)
def test_a_secret_is_hidden_however_it_is_written(spelled: str) -> None:
    body = f'{{"error": {{"message": "no such key {spelled}, Bearer {spelled}"}}}}'.encode()
    reply = redacted(Reply(401, body, {"retry-after": "3"}), [SECRET])
    assert reply.json() == {"error": {"message": f"no such key {HIDDEN}, Bearer {HIDDEN}"}}
    assert (reply.status, reply.headers) == (401, {"retry-after": "3"})


def test_an_answer_without_secrets_is_left_alone() -> None:
    reply = Reply(200, b'{"id": "123"}')
    assert redacted(reply, [SECRET]) is reply
    assert redacted(reply, ["123"]) is reply  # too short to be anything but a coincidence


def test_what_is_kept_of_a_long_answer_has_no_half_of_a_secret() -> None:
    body = (
        b"x" * (MAX_TRANSCRIPT_CHARACTERS - 8) + SECRET.encode() + b"y" * MAX_TRANSCRIPT_CHARACTERS
    )
    words = transcript_of(redacted(Reply(200, body), [SECRET]))
    assert SECRET[:6] not in words
    assert len(words) == len("HTTP 200\n") + MAX_TRANSCRIPT_CHARACTERS
