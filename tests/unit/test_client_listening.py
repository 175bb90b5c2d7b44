"""When the Python client takes a stream for lost."""

from datetime import timedelta
from time import monotonic

import httpx
import pytest
from genq import Unreachable
from genq.stream_state import StreamState

from tests.services.waiting import wait_for

PATIENCE = 0.3


def silent(listening: StreamState, since: float) -> StreamState:
    """The same, after it has heard nothing for longer than its patience."""
    wait_for(lambda: monotonic() - since > PATIENCE, timedelta(seconds=5), "patience to run out")
    return listening


def test_a_quiet_stream_that_breaks_is_connected_again() -> None:
    since = monotonic()
    listening = StreamState(PATIENCE, held=0)
    assert listening.check(httpx.Response(200)) is None
    assert silent(listening, since).broken() <= PATIENCE
    with pytest.raises(Unreachable):
        silent(listening, monotonic()).broken()


def test_one_that_never_held_is_given_up() -> None:
    since = monotonic()
    listening = StreamState(PATIENCE)
    assert listening.check(httpx.Response(200)) is None
    with pytest.raises(Unreachable):
        silent(listening, since).broken()
