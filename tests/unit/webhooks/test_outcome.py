"""Outcomes: their error classes, explanations and stored text."""

import pytest

from generation.webhooks.outcome import EXCERPT_BYTES, DeliveryOutcome, ErrorClass, storable_text

E = ErrorClass


def answered(status: int, **headers: str) -> DeliveryOutcome:
    return DeliveryOutcome(
        status=status, headers={key.replace("_", "-"): headers[key] for key in headers}
    )


@pytest.mark.parametrize(
    ("outcome", "kind", "overload", "is_opt_out"),
    [
        (answered(200), None, False, False),
        (answered(204), None, False, False),
        (answered(299), None, False, False),
        (answered(200, webhook_delivery="disable"), None, False, True),
        (answered(200, webhook_delivery="abort-message"), None, False, False),
        (answered(101), E.STATUS, False, False),
        (answered(301, location="https://elsewhere.example/"), E.REDIRECT, False, False),
        (answered(304), E.REDIRECT, False, False),
        (answered(400), E.STATUS, False, False),
        (answered(404), E.STATUS, False, False),
        (answered(410), E.GONE, False, True),
        (answered(410, webhook_delivery="abort-message"), E.GONE, False, True),
        (answered(429), E.STATUS, True, False),
        (answered(500), E.STATUS, False, False),
        (answered(500, webhook_delivery="disable"), E.DISABLED, False, True),
        (answered(500, webhook_delivery=" Abort-Message "), E.ABORTED, False, False),
        (answered(500, webhook_delivery="be nice"), E.STATUS, False, False),
        (answered(502), E.STATUS, True, False),
        (answered(503), E.STATUS, False, False),
        (answered(504), E.STATUS, True, False),
        (answered(999), E.STATUS, False, False),
        (DeliveryOutcome(error=E.TIMEOUT), E.TIMEOUT, True, False),
        (DeliveryOutcome(error=E.CONNECT), E.CONNECT, False, False),
        (DeliveryOutcome(error=E.REFUSED_ADDRESS), E.REFUSED_ADDRESS, False, False),
    ],
)
def test_error_classes(
    outcome: DeliveryOutcome, kind: ErrorClass | None, overload: bool, is_opt_out: bool
) -> None:
    assert outcome.error_class is kind
    assert outcome.is_overload is overload
    assert outcome.is_opt_out is is_opt_out


@pytest.mark.parametrize(
    ("outcome", "error_line"),
    [
        (answered(204), ""),
        (answered(500), "status: answered 500"),
        (
            answered(302, location="https://new.example/hook"),
            "redirect: answered 302, to https://new.example/hook; redirects are not followed, "
            "so give the final address",
        ),
        (answered(410), "gone: answered 410, so it is not asked again"),
        (
            answered(500, webhook_delivery="disable"),
            "disabled: answered 500 and asked for no further attempt",
        ),
        (
            DeliveryOutcome(error=E.REFUSED_ADDRESS, detail="10.0.0.1 is a private network"),
            "refused_address: 10.0.0.1 is a private network",
        ),
    ],
)
def test_error_lines_begin_with_their_class(outcome: DeliveryOutcome, error_line: str) -> None:
    assert outcome.error_line == error_line


def test_a_long_redirect_target_is_cut() -> None:
    assert len(answered(302, location="https://x.example/" + "a" * 8000).error_line) < 400


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (b"ok", "ok"),
        ("déjà".encode(), "déjà"),
        (b"a\x00b", "a\ufffdb"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("é".encode()[:1], "\ufffd"),
    ],
)
def test_storable_text(head: bytes, text: str) -> None:
    assert storable_text(head) == text


def test_storable_text_is_bounded_and_encodable() -> None:
    text = storable_text(bytes(range(256)) * 1000)
    assert len(text) <= EXCERPT_BYTES
    assert "\x00" not in text
    assert text.encode()
