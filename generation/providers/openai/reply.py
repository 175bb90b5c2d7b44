"""What an answer brings: words, calls of tools, pictures; or why it brings nothing.

The upstream answers with the result, and there is no task to ask about. So an answer that was
understood and has nothing in it ends the job: waiting would bring nothing more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from generation.contract.errors import ErrorCode, UnrecognizedReply
from generation.contract.given import name_of
from generation.contract.reply import Reply
from generation.contract.status import Asset, Failed, Succeeded
from generation.providers.kit import json_reader as wire
from generation.providers.openai import reasons
from generation.providers.openai.complaints import complaint_in
from generation.providers.openai.completion import Said, said_in
from generation.providers.openai.documents import documents_in
from generation.providers.openai.faults import fault_of, wordless_fault
from generation.providers.openai.markdown import (
    Shown,
    arranged,
    asset_of,
    shown_in,
    without_base64,
)
from generation.providers.openai.pictures import Drawn, drawn_in, is_file
from generation.providers.openai.streams import UNFINISHED

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens")
_FACTS = ("model", "size", "quality", "background", "output_format")

_MODERATED = "the upstream made the picture and held it back: it says that it was moderated"
_BASE64 = (
    "the upstream answered with the picture itself in base64, which cannot be kept yet; it was"
    " made, and most likely charged: choose a model or a station that answers with URLs"
)
_SOUND = (
    "the upstream answered with a sound in base64 and without a word of it; it cannot be kept yet"
)
_UNFINISHED = "the stream of the answer stopped without an end; something may be missing"
_CUT_OFF = "the answer was cut off at the limit of tokens; raise max_tokens for a whole one"

#: The form of answer that holds nothing but words.
_NOT_DRAWN = Drawn(listed=False)


@dataclass(frozen=True, slots=True)
class _Answer:
    """One document as the answer that it is."""

    document: Mapping[str, Any]
    said: tuple[Said, ...]
    drawn: Drawn

    @property
    def is_one(self) -> bool:
        return bool(self.said) or self.drawn.listed

    @property
    def holds_something(self) -> bool:
        drawn = self.drawn.assets or self.drawn.files
        return bool(drawn) or not all(each.is_empty for each in self.said)

    def success(
        self, said: Sequence[Said], assets: tuple[Asset, ...], *, files: int = 0
    ) -> Succeeded:
        """Success with what these choices say.

        `files` is how many files came in the answer itself; the details say so, for they are lost.
        """
        texts = (words for each in said for words in (without_base64(each.text), each.called))
        details = _details(self.document, said)
        if revised := self.drawn.revised_prompt:
            details["revised_prompt"] = revised
        more = f"{files} {'more' if assets else 'file(s)'}" if files else ""
        notes = (details.get("note"), *_losses(said, self.drawn, more))
        if note := "; ".join(filter(None, notes)):
            details["note"] = note
        return Succeeded(
            assets,
            tuple(filter(str.strip, texts)),
            details=details,
            upstream_id=wire.identifier(self.document.get("id")) or None,
        )


def chat(reply: Reply, *, chatopen: bool) -> Succeeded | Failed:
    """The answer of a model that was asked to say something. Raises a `Fault`."""
    answer = _read(reply, lambda each: _Answer(each, said_in(each, chatopen=chatopen), _NOT_DRAWN))
    if isinstance(answer, Failed):
        return answer
    if broken := _broken(answer, reply):
        return broken
    failures = [found for each in answer.said if (found := _failure(each))]
    good = [each for each in answer.said if not _failure(each)]
    shown = [_shown(each, reply, drawn=False) for each in good]
    files = sum(each.files for each in shown)
    assets = arranged(asset for each in shown for asset in each.assets)
    found = answer.success(good, assets, files=files)
    if found.texts or found.assets:
        return found
    if failures:
        return failures[0]
    if files or any(each.sound for each in good):
        return reasons.nothing_in_it(_BASE64 if files else _SOUND)
    if any(map(_is_cut_off, good)):
        return reasons.nothing_in_it("max_tokens were used up before anything was written")
    return reasons.nothing_in_it("the upstream answered without a word")


def drawing(reply: Reply) -> Succeeded | Failed:
    """The answer of a model that was asked in a chat to draw something. Raises a `Fault`."""
    answer = _read(reply, partial(_drawn, given=reply.given))
    return answer if isinstance(answer, Failed) else _drawing(answer, reply)


def pictures(reply: Reply) -> Succeeded | Failed:
    """The answer to an order for pictures. Raises a `Fault`."""
    answer = _read(reply, partial(_drawn, given=reply.given))
    if isinstance(answer, Failed):
        return answer
    drawn = answer.drawn
    if answer.said:
        return _drawing(answer, reply)  # some relays draw within a chat whatever was asked
    if drawn.assets:
        return answer.success((), drawn.assets, files=drawn.files)
    if drawn.files:
        return reasons.nothing_in_it(_BASE64)
    if drawn.held_back:
        return Failed(_MODERATED, ErrorCode.MODERATED)
    if answer.document.get("data") == []:
        return reasons.moderated_away()  # OpenAI's way to say that the pictures were held back
    return reasons.nothing_in_it("the upstream reports success and gives no picture")


def _drawing(answer: _Answer, reply: Reply) -> Succeeded | Failed:
    shown = [_shown(each, reply, drawn=True) for each in answer.said]
    within = (asset for each in shown for asset in each.assets)
    files = answer.drawn.files + sum(each.files for each in shown)
    if assets := arranged(iter((*answer.drawn.assets, *within))):
        return answer.success(answer.said, assets, files=files)
    if failed := _broken(answer, reply) or next(filter(None, map(_failure, answer.said)), None):
        return failed
    if files:
        return reasons.nothing_in_it(_BASE64)
    if words := "\n".join(each.text for each in answer.said).strip():
        return reasons.refusal(words, broke_off=any(map(_is_unfinished, answer.said)))
    return reasons.nothing_in_it("the upstream answered without a picture and without a word")


def _drawn(document: Mapping[str, Any], given: frozenset[str]) -> _Answer:
    said = said_in(document, chatopen=False)
    return _Answer(document, said, drawn_in(document).without(given))


def _read(reply: Reply, read: Callable[[Mapping[str, Any]], _Answer]) -> _Answer | Failed:
    """The first document with something in it.

    Without one the first complaint is raised, as the fault it is, or is a failure where it only
    says that there was one; and without that, an answer may have nothing in it.
    """
    documents = documents_in(reply)
    answers = [answer for answer in map(read, documents) if answer.is_one]
    if found := next((answer for answer in answers if answer.holds_something), None):
        return found
    for document in documents:
        if complaint := complaint_in(document, reply):
            if fault := fault_of(complaint):
                raise fault
            return reasons.failed(complaint.message, complaint.code)
    if answers:
        return answers[0]
    if not documents:
        raise wordless_fault(reply)
    raise UnrecognizedReply(
        f"the answer holds no result that is known here: {reply.excerpt()}",
        upstream_status=reply.status,
    )


def _broken(answer: _Answer, reply: Reply) -> Failed | None:
    """What an error amounts to that came after the beginning of an answer: it is not whole."""
    if not answer.document.get("error"):
        return None
    complaint = complaint_in(answer.document, reply)
    return complaint and reasons.broken_off(complaint.message, complaint.code)


def _failure(said: Said) -> Failed | None:
    if said.refusal and not said.text.strip():
        return reasons.refused(said.refusal)
    return reasons.held_back(said.finish_reason, said.text)


def _shown(said: Said, reply: Reply, *, drawn: bool) -> Shown:
    """The files beside an answer's text and in it, but for what the request contained."""
    within = shown_in(said.text, drawn=drawn, given=reply.given)
    pictures = [each for each in said.pictures if name_of(each) not in reply.given]
    beside = (asset_of(url) for each in pictures if (url := wire.address(each)))
    return Shown((*beside, *within.assets), within.files + sum(map(is_file, pictures)))


def _losses(said: Sequence[Said], drawn: Drawn, files: str) -> Iterator[str]:
    """What of an answer is not in the result."""
    if files:
        yield f"{files} came in base64, which cannot be kept yet"
    if any(each.sound for each in said):
        yield "a sound came in base64, which cannot be kept yet"
    if kinds := dict.fromkeys(kind for each in said for kind in each.unread):
        yield f"parts of another kind were left out: {', '.join(kinds)}"
    if drawn.held_back:
        yield f"{drawn.held_back} picture(s) were held back by moderation"


def _is_cut_off(said: Said) -> bool:
    return said.finish_reason.lower() in ("length", "max_tokens")


def _is_unfinished(said: Said) -> bool:
    return said.finish_reason == UNFINISHED


def _details(document: Mapping[str, Any], said: Sequence[Said]) -> dict[str, Any]:
    """The facts about an answer: its model, its count of tokens, and how it ended."""
    details: dict[str, Any] = {
        name: value[:200] for name in _FACTS if (value := wire.text(document.get(name)))
    }
    usage = wire.mapping(document.get("usage"))
    if counts := {n: v for n in _COUNTS if (v := wire.count(usage.get(n))) is not None}:
        details["usage"] = counts
    if reason := next(filter(None, (each.finish_reason for each in said)), ""):
        details["finish_reason"] = reason
    if any(map(_is_cut_off, said)):
        details["note"] = _CUT_OFF
    if any(map(_is_unfinished, said)):
        details["note"] = _UNFINISHED
    if calls := [call for each in said for call in each.tool_calls]:
        details["tool_calls"] = calls
    return details
