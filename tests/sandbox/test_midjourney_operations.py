"""genq's Midjourney operations against the sandbox: what is built is taken, what comes is read."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from generation.contract.call import Call
from generation.contract.errors import ErrorCode, Rejected
from generation.contract.operation import Operation, Order, Parent, Task
from generation.contract.reply import Reply
from generation.contract.status import (
    Accepted,
    Asset,
    AssetType,
    AwaitingInput,
    Running,
    Status,
    SubmitAnswer,
    Succeeded,
)
from generation.providers import find
from generation.providers.midjourney import OPERATIONS
from generation.providers.midjourney.operations import ActionOperation
from ops.sandbox.handle import SandboxHandle
from tests.pictures import jpeg, packed, png
from tests.sandbox.callers import BEARER

PROXY, STATION = "midjourney.proxy", "midjourney.station"
KEYS = {PROXY: {"mj-api-secret": "secret"}, STATION: BEARER}
MASK = packed(png(64, 64))

job_numbers = count()


@dataclass(frozen=True)
class Buyer:
    """Who speaks one dialect to the sandbox."""

    dialect: str
    client: httpx.Client
    sandbox: SandboxHandle

    def operation(self, name: str) -> Operation[Any]:
        found = find("midjourney", name, self.dialect)
        assert found is not None
        return found

    def ask(self, call: Call) -> Reply:
        key = KEYS[self.dialect]
        answer = self.client.request(call.method, call.path, json=call.json, headers=key)
        return Reply(answer.status_code, answer.content, dict(answer.headers))

    def submit(self, name: str, followed: Parent | None = None, **fields: Any) -> SubmitAnswer:
        operation = self.operation(name)
        request = operation.request.model_validate(fields)
        order = Order(f"job-{next(job_numbers)}", parent=followed)
        return operation.parse_submit(self.ask(operation.build_submit(request, order)))

    def look(self, name: str, upstream_id: str) -> Status:
        operation = self.operation(name)
        return operation.parse_query(self.ask(operation.build_query(Task(upstream_id))))

    def finish(self, name: str, upstream_id: str) -> Parent:
        """The job of a running task, once it is done, as a follow-up knows it."""
        assert isinstance(self.look(name, upstream_id), Running)
        self.sandbox.finish(upstream_id)
        status = self.look(name, upstream_id)
        assert isinstance(status, Succeeded)
        return Parent(name, upstream_id, {}, {}, status)

    def buy(self, name: str, followed: Parent | None = None, **fields: Any) -> Parent:
        answer = self.submit(name, followed, **fields)
        assert isinstance(answer, Accepted)
        return self.finish(name, answer.upstream_id)

    def picture(self) -> Parent:
        """One picture of a grid, upscaled."""
        return self.buy("action", self.buy("imagine", prompt="a red kite"), action="U2")

    def tell(self, upstream_id: str, **fields: Any) -> SubmitAnswer:
        """What becomes of a button's window that is told what was given with the button."""
        operation = self.operation("action")
        assert isinstance(operation, ActionOperation)
        told = operation.early_input(operation.request.model_validate(fields))
        assert told is not None
        return operation.parse_input(self.ask(operation.build_input(told, Task(upstream_id))))


@pytest.fixture(params=[PROXY, STATION])
def buyer(request: pytest.FixtureRequest, sandbox: SandboxHandle, client: httpx.Client) -> Buyer:
    return Buyer(request.param, client, sandbox)


@pytest.fixture
def proxy(sandbox: SandboxHandle, client: httpx.Client) -> Buyer:
    return Buyer(PROXY, client, sandbox)


def roles(job: Parent) -> list[tuple[AssetType, str]]:
    return [(asset.type, asset.role) for asset in job.result.assets]


def head(client: httpx.Client, asset: Asset) -> bytes:
    return client.get(asset.url).raise_for_status().content[:12]


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if not each.follows or each.name == "video"],
    ids=lambda each: f"{each.dialect}:{each.name}",
)
def test_every_example_is_taken(
    operation: Operation[Any], sandbox: SandboxHandle, client: httpx.Client
) -> None:
    buyer = Buyer(operation.dialect, client, sandbox)
    if operation.name == "modal":  # it names a task that cannot be there
        with pytest.raises(Rejected) as caught:
            buyer.submit(operation.name, **operation.example)
        assert caught.value.code is ErrorCode.NOT_FOUND
    elif operation.name == "upload":
        assert isinstance(buyer.submit(operation.name, **operation.example), Succeeded)
    else:
        job = buyer.buy(operation.name, **operation.example)
        assert job.result.assets or job.result.texts


def test_a_grid_and_what_follows_it(buyer: Buyer) -> None:
    grid = buyer.buy("imagine", prompt="a red kite")
    singles = [(AssetType.IMAGE, "single")] * (4 if buyer.dialect == PROXY else 0)
    assert roles(grid) == [(AssetType.IMAGE, "grid"), *singles]
    for name in ("action", "change", "seed"):
        assert grid.operation in buyer.operation(name).follows
    assert roles(buyer.buy("action", grid, action="U1")) == [(AssetType.IMAGE, "result")]
    change = buyer.buy("change", grid, action="UPSCALE", index=1)
    assert roles(change) == [(AssetType.IMAGE, "result")]
    assert roles(buyer.buy("change", grid, action="REROLL"))[0] == (AssetType.IMAGE, "grid")
    seed = buyer.submit("seed", grid)
    assert isinstance(seed, Succeeded)
    assert seed.texts == (seed.details["seed"],)


@pytest.mark.parametrize("action", ["vary_subtle", "Zoom Out 2x", "pan_left", "⬆️"])
def test_an_upscaled_picture_goes_on(action: str, buyer: Buyer) -> None:
    job = buyer.buy("action", buyer.picture(), action=action)
    assert roles(job)[0] == (AssetType.IMAGE, "grid")


@pytest.mark.parametrize(
    ("fields", "unsaid_at_station"),
    [
        ({"action": "Vary (Region)", "prompt": "a hat", "mask": MASK}, False),
        ({"action": "custom_zoom", "prompt": "a hat --zoom 1.5"}, False),
        ({"action": "vary_strong", "prompt": "a hat"}, True),
    ],
)
def test_a_window_is_told_what_came_with_its_button(
    fields: dict[str, Any], *, unsaid_at_station: bool, buyer: Buyer
) -> None:
    answer = buyer.submit("action", buyer.picture(), **fields)
    if unsaid_at_station and buyer.dialect == STATION:
        assert isinstance(answer, Accepted)
    else:
        assert isinstance(answer, AwaitingInput)
    upstream_id = answer.upstream_id or ""
    waiting = buyer.look("action", upstream_id)
    assert waiting == AwaitingInput(upstream_id, "Waiting for window confirm")
    assert buyer.tell(upstream_id, **fields) == Accepted(upstream_id)
    job = buyer.finish("action", upstream_id)
    assert roles(job)[0] == (AssetType.IMAGE, "grid")
    assert job.result.details["prompt_en"] == fields["prompt"]


def test_a_window_that_somebody_else_opened(proxy: Buyer) -> None:
    waiting = proxy.submit("action", proxy.picture(), action="Custom Zoom")
    assert isinstance(waiting, AwaitingInput)
    job = proxy.buy("modal", upstream_id=waiting.upstream_id, prompt="a hat --zoom 2")
    assert job.upstream_id == waiting.upstream_id


def test_texts_and_what_is_drawn_of_them(buyer: Buyer) -> None:
    described = buyer.buy("describe", image=MASK)
    assert len(described.result.texts) == 4
    assert not described.result.assets
    assert buyer.buy("shorten", prompt="a very red kite").result.texts == ("a very", "a", "a")
    if buyer.dialect == STATION:
        with pytest.raises(Rejected, match="offers no button here"):
            buyer.submit("action", described, action="imagine_3")
        with pytest.raises(Rejected, match="unknown_action") as caught:
            buyer.submit("action", described, custom_id="MJ::Job::PicReader::3")
        assert caught.value.code is ErrorCode.UNSUPPORTED
        return
    waiting = buyer.submit("action", described, action="imagine_3", prompt="a blue kite")
    assert isinstance(waiting, AwaitingInput)
    answer = buyer.tell(waiting.upstream_id or "", action="imagine_3", prompt="a blue kite")
    assert isinstance(answer, Accepted)
    assert roles(buyer.finish("action", answer.upstream_id))[0] == (AssetType.IMAGE, "grid")
    again = buyer.buy("action", described, action="reroll")
    assert len(again.result.texts) == 4


def test_videos_are_made_and_go_on(buyer: Buyer) -> None:
    videos = buyer.buy("video", prompt="pan", image=MASK, batch_size=2)
    assert roles(videos) == [(AssetType.VIDEO, "result")] * 2
    assert {head(buyer.client, asset)[4:8] for asset in videos.result.assets} == {b"ftyp"}
    assert len(buyer.buy("video", videos, prompt="on", index=1).result.assets) == 4


def test_a_picture_is_animated_and_one_video_picked(proxy: Buyer) -> None:
    previews = proxy.buy("action", proxy.picture(), action="animate_high")
    assert roles(previews) == [(AssetType.IMAGE, "grid")]
    picked = proxy.buy("action", previews, action="U3")
    assert roles(picked) == [(AssetType.VIDEO, "result")]
    assert head(proxy.client, picked.result.assets[0])[4:8] == b"ftyp"
    assert proxy.buy("video", picked, prompt="on").result.assets


def test_faces_are_swapped(buyer: Buyer) -> None:
    job = buyer.buy("swap_face", face=MASK, target=packed(jpeg(64, 64)))
    assert roles(job) == [(AssetType.IMAGE, "result")]
    assert head(buyer.client, job.result.assets[0]).startswith(b"\x89PNG")
