"""When the Python client stops reconnecting to a stream."""

from datetime import timedelta
from time import monotonic

import httpx
import pytest
from genq import Unreachable
from genq.stream_state import StreamState

from tests.services.waiting import wait_for

PATIENCE = 0.3


def silent(state: StreamState, since: float) -> StreamState:
    """Return the state once it has been without messages for longer than its patience."""
    wait_for(lambda: monotonic() - since > PATIENCE, timedelta(seconds=5), "patience to pass")
    return state


def test_a_quiet_stream_that_breaks_is_reconnected() -> None:
    since = monotonic()
    state = StreamState(PATIENCE, held=0)
    assert state.check(httpx.Response(200)) is None
    assert silent(state, since).connection_lost() <= PATIENCE
    with pytest.raises(Unreachable):
        silent(state, monotonic()).connection_lost()


def test_a_stream_that_was_never_stable_is_given_up() -> None:
    since = monotonic()
    state = StreamState(PATIENCE)
    assert state.check(httpx.Response(200)) is None
    with pytest.raises(Unreachable):
        silent(state, since).connection_lost()
