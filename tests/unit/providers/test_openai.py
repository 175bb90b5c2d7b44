"""What orders in OpenAI's form may hold, and what is sent for them, compared whole."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from generation import providers
from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Rejected, UnrecognizedReply
from generation.contract.operation import Operation, Order, Task
from generation.contract.reply import Reply
from generation.contract.request import Request
from generation.contract.status import Failed, Succeeded
from generation.providers import RELAY_DIALECTS
from generation.providers.openai import OPERATIONS
from generation.stations.station import Dialect
from tests.pictures import PNG

ORDER = Order("job-1", callback_url="https://genq.test.invalid/callbacks/x")
MANUAL = Path(__file__).parents[3] / "docs" / "providers" / "openai.md"
RELAY, CHATOPEN = "openai.relay", "openai.chatopen"
CAT = "https://images.test.invalid/cat.png"
PNG_URI = f"data:image/png;base64,{PNG}"
HELLO = [{"role": "user", "content": "hello"}]
WEATHER = {"type": "function", "function": {"name": "weather"}}


def openai(name: str, dialect: str = RELAY) -> Operation[Request]:
    operation = providers.find("openai", name, dialect)
    assert operation is not None
    return operation


def submitted(name: str, fields: Any, dialect: str = RELAY) -> Call:
    operation = openai(name, dialect)
    return operation.build_submit(operation.request.model_validate(fields), ORDER)


def complaints(name: str, fields: Any, dialect: str = RELAY) -> dict[str, str]:
    """Message by path of the field at fault; empty where the request is fine."""
    try:
        openai(name, dialect).request.model_validate(fields)
    except ValidationError as error:
        return {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return {}


def said(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


def shown(url: str, **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


class TestConversations:
    @pytest.mark.parametrize(
        ("name", "fields", "body"),
        [
            (
                "chat",
                {"prompt": "hello"},
                {"model": "gpt-4o", "messages": HELLO, "stream": False},
            ),
            (
                "chat",
                {"model": "kimi", "messages": HELLO, "max_tokens": 400, "temperature": 0.3},
                {"model": "kimi", "messages": HELLO, "stream": False}
                | {"max_tokens": 400, "temperature": 0.3},
            ),
            (
                "chat",
                {"model": "gpt-4o-all", "prompt": "分析一下这个图片", "images": [CAT]},
                {"model": "gpt-4o-all", "messages": said(f"{CAT} 分析一下这个图片")}
                | {"stream": True},
            ),
            (
                "chat",
                {"model": "gpt-4-all", "messages": said(f"{CAT}分析一下这个图片"), "stream": False},
                {"model": "gpt-4-all", "messages": said(f"{CAT}分析一下这个图片")}
                | {"stream": False},
            ),
            (
                "chat",
                {"prompt": "what is it?", "images": [CAT, PNG]},
                {"model": "gpt-4o", "stream": False}
                | {
                    "messages": said(
                        [shown(CAT), shown(PNG_URI), {"type": "text", "text": "what is it?"}]
                    )
                },
            ),
            (
                "chat",
                {"model": "gpt-4o-all", "prompt": "and?", "images": [PNG], "image_form": "parts"},
                {"model": "gpt-4o-all", "stream": True}
                | {"messages": said([shown(PNG_URI), {"type": "text", "text": "and?"}])},
            ),
            (
                "chat",
                {"model": "gpt-4-vision-preview", "max_tokens": 400}
                | {"messages": said([{"type": "text", "text": "?"}, shown(CAT, detail="low")])},
                {"model": "gpt-4-vision-preview", "stream": False, "max_tokens": 400}
                | {"messages": said([{"type": "text", "text": "?"}, shown(CAT, detail="low")])},
            ),
            (
                "chat",
                {"messages": HELLO, "tools": [WEATHER], "tool_choice": "required", "seed": 7},
                {"model": "gpt-4o", "messages": HELLO, "stream": False}
                | {"tools": [WEATHER], "tool_choice": "required", "seed": 7},
            ),
            (
                "chat",
                {"prompt": "hi", "stream": True, "stream_options": {"include_usage": True}},
                {"model": "gpt-4o", "messages": said("hi"), "stream": True}
                | {"stream_options": {"include_usage": True}},
            ),
            (
                "image_by_chat",
                {"prompt": "画一只猫"},
                {"model": "gpt-4-all", "messages": said("画一只猫"), "stream": True},
            ),
            (
                "image_by_chat",
                {"model": "gpt-4o-image", "prompt": "as a drawing", "images": [CAT]}
                | {"stream": False, "user": "u-1"},
                {"model": "gpt-4o-image", "stream": False, "user": "u-1"}
                | {"messages": said([shown(CAT), {"type": "text", "text": "as a drawing"}])},
            ),
        ],
    )
    def test_a_conversation_is_sent_in_openais_form(
        self, name: str, fields: Any, body: Any
    ) -> None:
        assert submitted(name, fields) == Call("POST", "/v1/chat/completions", body)

    def test_a_call_of_a_tool_can_be_answered(self) -> None:
        call = {"id": "c-1", "type": "function"}
        call |= {"function": {"name": "weather", "arguments": "{}"}}
        messages = [
            *HELLO,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c-1", "content": "rain"},
        ]
        sent = submitted("chat", {"messages": messages, "tools": [WEATHER]}).json
        assert sent is not None
        assert sent["messages"] == messages

    def test_documents_are_sent_as_kimi_and_its_like_take_them(self) -> None:
        part = {"type": "file", "file_url": {"url": "https://files.test.invalid/a.pdf"}}
        sent = submitted("chat", {"model": "kimi", "messages": said([part])}).json
        assert sent is not None
        assert sent["messages"] == said([part])


class TestPictures:
    @pytest.mark.parametrize(
        ("fields", "body"),
        [
            (
                {"prompt": "a cat"},
                {"model": "dall-e-3", "prompt": "a cat", "response_format": "url"},
            ),
            (
                {"model": "dall-e-3", "prompt": "a cat", "size": "1792x1024", "quality": "hd"}
                | {"style": "natural", "n": 1, "user": "u-1"},
                {"model": "dall-e-3", "prompt": "a cat", "size": "1792x1024", "quality": "hd"}
                | {"style": "natural", "n": 1, "user": "u-1", "response_format": "url"},
            ),
            (
                {"model": "gpt-image-1", "prompt": "a cat", "quality": "low", "n": 10}
                | {"background": "transparent", "output_format": "webp", "output_compression": 0}
                | {"moderation": "low", "size": "1536x1024"},
                {"model": "gpt-image-1", "prompt": "a cat", "quality": "low", "n": 10}
                | {"background": "transparent", "output_format": "webp", "output_compression": 0}
                | {"moderation": "low", "size": "1536x1024"},
            ),
            (
                {"model": "gpt-image-2", "prompt": "a cat", "size": "3840x2160"},
                {"model": "gpt-image-2", "prompt": "a cat", "size": "3840x2160"},
            ),
            (
                {"model": "cogview-3", "prompt": "a cat", "size": "720x1440", "style": "ink"},
                {"model": "cogview-3", "prompt": "a cat", "size": "720x1440", "style": "ink"},
            ),
        ],
    )
    def test_an_order_is_sent_in_openais_form(self, fields: Any, body: Any) -> None:
        assert submitted("image", fields) == Call("POST", "/v1/images/generations", body)


class TestChatOpen:
    def test_a_conversation_has_the_model_in_its_path_and_camel_case_parts(self) -> None:
        content = [
            {"type": "text", "text": "what's the content of the picture?"},
            {"type": "imageUrl", "imageUrl": {"url": CAT}},
        ]
        call = submitted("chat", {"messages": said(content)}, CHATOPEN)
        assert call == Call("POST", "/gpt-4o/text/v3", {"messages": said(content)})
        path = Dialect(dialect=CHATOPEN).path(call.path, submit=True)
        assert path == "/AIGCChatOpenServ/saas/gpt-4o/text/v3"

    @pytest.mark.parametrize("dialect", [RELAY, CHATOPEN])
    @pytest.mark.parametrize("name", ["image_url", "imageUrl"])
    def test_both_spellings_of_a_picture_are_understood(self, dialect: str, name: str) -> None:
        own = "image_url" if dialect == RELAY else "imageUrl"
        sent = submitted("chat", {"messages": said([{"type": name, name: {"url": CAT}}])}, dialect)
        assert sent.json is not None
        assert sent.json["messages"] == said([{"type": own, own: {"url": CAT}}])

    def test_what_its_form_has_no_place_for_is_left_out_or_refused_by_name(self) -> None:
        fields = {"model": "deepseek-chat", "prompt": "hi", "stream": True, "temperature": 1}
        sent = submitted("chat", fields, CHATOPEN)
        body = {"messages": said("hi"), "temperature": 1}
        assert sent == Call("POST", "/deepseek-chat/text/v3", body)
        part = {"type": "file", "file_url": {"url": "https://files.test.invalid/a.pdf"}}
        with pytest.raises(Rejected, match="no file parts") as raised:
            submitted("chat", {"messages": said([part])}, CHATOPEN)
        assert raised.value.code is ErrorCode.UNSUPPORTED

    def test_a_picture_is_ordered_by_its_own_names(self) -> None:
        fields = {"prompt": "a cat", "aspect_ratio": "16:9", "resolution": "2K"}
        fields |= {"output_format": "jpeg", "google_search": True}
        body = {"prompt": "a cat", "aspectRatio": "16:9", "resolution": "2K"}
        body |= {"outputFormat": "jpeg", "enableGoogleSearch": True, "imageUrlList": [CAT]}
        call = submitted("image", {**fields, "images": [CAT]}, CHATOPEN)
        assert call == Call("POST", "/gemini-3.1-flash-image-preview/image/generation", body)
        assert submitted("image", {"model": "gpt-image-1", "prompt": "a cat"}, CHATOPEN) == Call(
            "POST", "/gpt-image-1/image/generation", {"prompt": "a cat"}
        )


class TestBeforePaying:
    @pytest.mark.parametrize(
        ("name", "fields", "at_fault"),
        [
            ("chat", {}, {"prompt"}),
            ("chat", {"prompt": "a", "messages": HELLO}, {"prompt"}),
            ("chat", {"prompt": "  "}, {"prompt"}),
            ("chat", {"messages": []}, {"messages"}),
            ("chat", {"messages": HELLO, "images": [CAT]}, {"images"}),
            ("chat", {"prompt": "a", "images": []}, {"images"}),
            ("chat", {"prompt": "a", "images": ["http://a.invalid/1.png"]}, {"images.0"}),
            ("chat", {"prompt": "a", "images": ["not base64!"]}, {"images.0"}),
            ("chat", {"model": "gpt-4-all", "prompt": "a", "images": [CAT, PNG]}, {"images.1"}),
            ("chat", {"prompt": "a", "temperature": 2.1}, {"temperature"}),
            ("chat", {"prompt": "a", "top_p": -1}, {"top_p"}),
            ("chat", {"prompt": "a", "presence_penalty": 3}, {"presence_penalty"}),
            ("chat", {"prompt": "a", "frequency_penalty": -3}, {"frequency_penalty"}),
            ("chat", {"prompt": "a", "tool_choice": "auto"}, {"tool_choice"}),
            ("chat", {"prompt": "a", "stream_options": {}}, {"stream_options"}),
            ("chat", {"prompt": "a", "parallel_tool_calls": False}, {"parallel_tool_calls"}),
            ("chat", {"prompt": "a", "top_logprobs": 2}, {"top_logprobs"}),
            ("chat", {"prompt": "a", "logprobs": True, "top_logprobs": 21}, {"top_logprobs"}),
            ("chat", {"prompt": "a", "modalities": ["text", "audio"]}, {"audio"}),
            ("chat", {"prompt": "a", "reasoning_efort": "low"}, {"reasoning_efort"}),
            (
                "chat",
                {"prompt": "a", "max_tokens": 1, "max_completion_tokens": 1},
                {"max_completion_tokens"},
            ),
            ("chat", {"prompt": "a", "model": "../admin"}, {"model"}),
            ("chat", {"prompt": "a", "model": "a b"}, {"model"}),
            ("chat", {"prompt": "a", "size": "1x1"}, {"size"}),
            ("chat", {"messages": [{"role": "poet", "content": "a"}]}, {"messages.0.role"}),
            ("chat", {"messages": [{"role": "user"}]}, {"messages.0.content"}),
            (
                "chat",
                {"messages": [{"role": "tool", "content": "a"}]},
                {"messages.0.tool_call_id"},
            ),
            ("image_by_chat", {"prompt": "a", "temperature": 1}, {"temperature"}),
            ("image", {}, {"prompt"}),
            ("image", {"prompt": "a" * 4001}, {"prompt"}),
            ("image", {"model": "dall-e-2", "prompt": "a" * 1001}, {"prompt"}),
            ("image", {"model": "gpt-image-1", "prompt": "a" * 32001}, {"prompt"}),
            ("image", {"prompt": "a", "n": 2}, {"n"}),
            ("image", {"prompt": "a", "n": 11}, {"n"}),
            ("image", {"prompt": "a", "size": "512x512"}, {"size"}),
            ("image", {"model": "dall-e-2", "prompt": "a", "size": "1792x1024"}, {"size"}),
            ("image", {"model": "gpt-image-1", "prompt": "a", "size": "512x512"}, {"size"}),
            ("image", {"model": "gpt-image-2", "prompt": "a", "size": "3856x2160"}, {"size"}),
            ("image", {"model": "gpt-image-2", "prompt": "a", "size": "1000x1000"}, {"size"}),
            ("image", {"model": "gpt-image-2", "prompt": "a", "size": "3200x1024"}, {"size"}),
            ("image", {"model": "gpt-image-2", "prompt": "a", "size": "256x256"}, {"size"}),
            (
                "image",
                {"model": "gpt-image-2", "prompt": "a", "background": "transparent"},
                {"background"},
            ),
            ("image", {"prompt": "a", "quality": "low"}, {"quality"}),
            ("image", {"prompt": "a", "style": "ink"}, {"style"}),
            ("image", {"prompt": "a", "background": "opaque"}, {"background"}),
            ("image", {"prompt": "a", "response_format": "b64_json"}, {"response_format"}),
            (
                "image",
                {"model": "gpt-image-1", "prompt": "a", "response_format": "url"},
                {"response_format"},
            ),
            (
                "image",
                {"model": "gpt-image-1", "prompt": "a", "output_compression": 50},
                {"output_compression"},
            ),
        ],
    )
    def test_what_may_not_be_asked_names_the_field(
        self, name: str, fields: Any, at_fault: set[str]
    ) -> None:
        assert set(complaints(name, fields)) == at_fault

    def test_chat_opens_limits(self) -> None:
        many = {"prompt": "a", "images": [CAT] * 15}
        assert set(complaints("image", many, CHATOPEN)) == {"images"}
        assert set(complaints("image", {"prompt": "a", "resolution": "8K"}, CHATOPEN)) == {
            "resolution"
        }
        base64 = {"prompt": "a", "images": [PNG]}
        assert set(complaints("image", base64, CHATOPEN)) == {"images.0"}

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
    def test_the_example_works_and_survives_being_stored(
        self, operation: Operation[Request]
    ) -> None:
        request = operation.request.model_validate(operation.example)
        stored = json.loads(json.dumps(request.model_dump(mode="json", exclude_unset=True)))
        again = operation.request.model_validate(stored)
        assert operation.build_submit(again, ORDER) == operation.build_submit(request, ORDER)

    def test_todays_fields_are_sent_as_they_are(self) -> None:
        fields: dict[str, Any] = {
            "tools": [{"type": "function", "function": {"name": "look_up"}}],
            "reasoning_effort": "minimal",
            "verbosity": "low",
            "parallel_tool_calls": False,
            "modalities": ["text", "audio"],
            "audio": {"voice": "alloy", "format": "mp3"},
            "web_search_options": {},
            "logprobs": True,
            "top_logprobs": 3,
            "metadata": {"order": "7"},
            "store": False,
            "prediction": {"type": "content", "content": "a"},
            "service_tier": "flex",
            "safety_identifier": "u-1",
            "prompt_cache_key": "k-1",
        }
        sent = submitted("chat", {"prompt": "a", **fields}).json
        assert sent is not None
        assert {name: sent[name] for name in fields} == fields

    @pytest.mark.parametrize(
        "part",
        [
            {"type": "input_audio", "input_audio": {"data": "SUQzBAAA", "format": "mp3"}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {
                "type": "file",
                "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"},
            },
            {"type": "file", "file_url": {"url": "https://files.test.invalid/a.pdf"}},
        ],
    )
    def test_sounds_and_documents_are_sent_as_parts(self, part: Any) -> None:
        sent = submitted("chat", {"messages": said([part])}).json
        assert sent is not None
        assert sent["messages"] == said([part])
        with pytest.raises(Rejected, match=f"takes no {part['type']} parts"):
            submitted("chat", {"messages": said([part])}, CHATOPEN)

    @pytest.mark.parametrize(
        ("part", "at_fault"),
        [
            ({"type": "file"}, "file"),
            ({"type": "file", "file": {}}, "file_id"),
            ({"type": "file", "file": {"file_id": "a", "file_data": "b"}}, "file_id"),
            ({"type": "input_audio", "input_audio": {"data": "no base64!", "format": "x"}}, "data"),
            ({"type": "input_audio", "input_audio": {"data": "SUQz"}}, "format"),
        ],
    )
    def test_a_part_that_lacks_something_is_refused(self, part: Any, at_fault: str) -> None:
        fields = complaints("chat", {"messages": said([part])})
        assert at_fault in {field.split(".")[-1] for field in fields}

    def test_a_conversation_survives_being_stored(self) -> None:
        model = openai("chat").request
        content = [{"type": "imageUrl", "imageUrl": {"url": PNG}}, {"type": "text", "text": "a"}]
        first = model.model_validate({"messages": said(content)})
        stored = json.loads(json.dumps(first.model_dump(mode="json", exclude_unset=True)))
        assert model.model_validate(stored) == first


class TestAnswers:
    def test_the_answer_is_waited_for_minutes_and_there_is_no_task(self) -> None:
        for operation in OPERATIONS:
            assert operation.submit_timeout is not None
            assert operation.submit_timeout >= timedelta(minutes=5)
            assert operation.pace.deadline > operation.submit_timeout
            assert operation.build_find(ORDER) is None
            with pytest.raises(Rejected):
                operation.build_query(Task("t-1"))
            with pytest.raises(UnrecognizedReply):
                operation.parse_query(Reply(200, b"{}"))

    def test_a_relay_of_one_station_sells_it(self) -> None:
        assert RELAY_DIALECTS["openai"] == RELAY

    @pytest.mark.parametrize(
        "text",
        ["<img " * 200_000, "![a](" * 200_000, "```" * 300_001, "data:a" * 200_000, "[" * 10**6],
        ids=["tags", "pictures", "fences", "files", "brackets"],
    )
    def test_an_endless_text_is_read_in_time(self, text: str) -> None:
        """Nothing here may hold up the one loop; quadratic reading would take minutes."""
        body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        assert isinstance(openai("image_by_chat").parse_submit(Reply(200, body)), Failed)

    def test_files_in_the_text_of_an_answer_are_cut_off(self) -> None:
        content = f"![a](data:image/png;base64,{'A' * 4000}) and ![b]({CAT})"
        body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
        status = openai("image_by_chat").parse_submit(Reply(200, body))
        assert isinstance(status, Succeeded)
        assert status.texts == (f"![a](data:image/png;base64,…) and ![b]({CAT})",)


class TestManual:
    """The page says what the models say."""

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.dialect}:{o.name}")
    def test_the_section_of_an_operation_is_right(self, operation: Operation[Request]) -> None:
        own = "" if operation.dialect == RELAY or operation.name == "chat" else " at Chat Open"
        section = re.split(rf"^## {operation.name}{own}$", MANUAL.read_text(), flags=re.MULTILINE)
        section = re.split(r"^## ", section[1], flags=re.MULTILINE)[0]
        rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*) \|", section, flags=re.MULTILINE)
        fields = operation.request.model_fields
        assert [field for field, _ in rows] == list(fields)
        for field, default in rows:
            assert default.strip() == told(fields[field]), field
        example = re.search(r"```json\n(.*?)```", section, flags=re.DOTALL)
        assert example is not None
        assert json.loads(example[1]) == {
            "provider": "openai",
            "operation": operation.name,
            "input": dict(operation.example),
        }


def told(field: Any) -> str:
    """A default as the page shows it; nothing where there is none."""
    if field.is_required():
        return "required"
    if field.default is None or field.default_factory is not None:
        return ""
    return f"`{field.default}`"
