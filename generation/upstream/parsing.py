"""Parses replies with an adapter's parsers, and turns what goes wrong into faults."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import structlog

from generation.contract.errors import Fault, InDoubt, UnrecognizedReply
from generation.contract.reply import Reply
from generation.contract.status import Succeeded
from generation.contract.usable_assets import usable
from generation.upstream.http import IncompleteReply
from generation.upstream.transcript import UpstreamAnswer, transcript_of

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")


def parsed(parse: Callable[[Reply], Answer], reply: Reply) -> Answer:
    """Parse a reply.

    Raises a `Fault`, nothing else.

    An exception of a parser becomes `UnrecognizedReply`: a paid task must not hang on a defect.
    """
    try:
        return parse(reply)
    except Fault:
        raise
    except Exception as error:
        log.exception("parser_failed", status=reply.status)
        raise UnrecognizedReply(
            f"the answer could not be read ({type(error).__name__}): {reply.excerpt()}",
            upstream_status=reply.status,
        ) from error


def answer_of(parse: Callable[[Reply], Answer], reply: Reply) -> UpstreamAnswer[Answer]:
    """Parse a reply and keep its transcript, with the answer or with the fault."""
    make_transcript = partial(transcript_of, reply)
    try:
        return UpstreamAnswer(parsed(parse, reply), make_transcript)
    except Fault as fault:
        fault.words = make_transcript()
        raise


def usable_only(parse: Callable[[Reply], Answer], station_url: str) -> Callable[[Reply], Answer]:
    """Return the parser without the assets that genq does not pass on (`usable_assets`)."""
    return lambda reply: usable(parse(reply), station_url=station_url)


def doubt_about(fault: IncompleteReply, parse: Callable[[Reply], Any]) -> InDoubt:
    """Return the doubt that an incomplete reply to a submit leaves.

    Its message names the assets that had arrived, for whoever resolves the doubt.
    """
    urls: Sequence[str] = ()
    try:
        answer = parsed(parse, fault.reply)
    except Fault:
        pass
    else:
        urls = [asset.url for asset in answer.assets] if isinstance(answer, Succeeded) else ()
    named = f"; it had named {' '.join(urls)}" if urls else ""
    doubt = InDoubt(f"{fault.message}{named}", upstream_status=fault.upstream_status)
    doubt.words = transcript_of(fault.reply)
    return doubt
