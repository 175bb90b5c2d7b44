"""
What one sick job meets stops no other: twenty healthy jobs beside each kind of trouble.

One deployment, one station, one key. Troubles stay while the next ones come, so that the last crowd
runs beside all of them.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

from tests.deployment.deployment import Deployment
from tests.deployment.fixtures import Deploy
from tests.integration.upstream.servers import acting, answer
from tests.services.waiting import wait_for

CROWD = 20
#: No healthy job may be later than without the sick one by more than this.
LATE = timedelta(seconds=2)
#: A healthy task takes so long.
TASK_SECONDS = 0.5
PATIENCE = timedelta(seconds=90)
ABSURD = "retry-after: 86400"
STATIONS = """
[[stations]]
name = "relay"
url = "{url}"
speed = 50
keys = [{{ name = "main", env = "TEST_STATION_KEY" }}]

[stations.speaks]
kling = {{ dialect = "kling.relay" }}
flux = {{ dialect = "flux.bfl" }}
"""
#: Where a relay sends whoever asks for a vendor's task: a host that is not its own.
FOREIGN = "http://127.0.0.2:9/v1/get_result?id=t-foreign"
SILENT = """
[[stations]]
name = "silent"
url = "{url}"
keys = [{{ name = "main", env = "TEST_STATION_KEY" }}]

[stations.speaks]
openai = {{ dialect = "openai.relay" }}
"""
#: How many submits the worker may have on the wire.
PLACES = 16
#: By the word in the prompt: how often the station must have met the job before the crowd comes.
TROUBLES = {
    "look-500": 12,
    "look-hangs": 1,
    "look-garbage": 12,
    "look-401": 1,
    "look-429": 1,
    "submit-429": 1,
    "submit-403": 1,
    "submit-403-same-model": 1,
    "relay-is-empty": 1,
    "queue-full": 1,
    "polled-elsewhere": 3,
}


class Station:
    """Sells films, and does to each what its prompt says."""

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()
        self._tasks: dict[str, tuple[str, float]] = {}

    async def act(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        method, path, _ = head.split(b" ", 2)
        if b"/v1/flux-pro" in path:
            writer.write(answer(json.dumps({"id": "t-foreign", "polling_url": FOREIGN}).encode()))
            return
        if b"t-foreign" in path:
            self.met["polled-elsewhere"] += 1
            writer.write(
                answer(b'{"id": "t-foreign", "status": "Task not found"}', "404 Not Found")
            )
            return
        if method == b"POST":
            writer.write(self._submit(json.loads(body)))
            return
        task_id = path.decode().rsplit("/", 1)[1].partition("?")[0]
        trouble, sold_at = self._tasks.get(task_id, ("", 0.0))
        self.met[trouble] += 1
        if trouble == "look-hangs":
            await asyncio.sleep(30)
        writer.write(self._look(task_id, trouble, sold_at))

    def _submit(self, order: dict[str, str]) -> bytes:
        trouble = order["prompt"].partition(" ")[0]
        match trouble:
            case "submit-429":
                said = answer(said_by_kling(1302, "request too fast"), "429 Too Many", ABSURD)
            case "submit-403" | "submit-403-same-model":
                said = answer(b'{"detail": "nobody knows these words"}', "403 Forbidden")
            case "relay-is-empty":
                text = b'{"code": "fail_to_fetch_task", "message": "Account balance not enough"}'
                said = answer(text, "429 Too Many Requests")
            case "queue-full":
                said = answer(said_by_kling(1303, "parallel task over limit"), "429 Too Many")
            case _:
                task_id = f"t{len(self._tasks)}"
                self._tasks[task_id] = (trouble, monotonic())
                return answer(task(task_id, "submitted"))
        self.met[trouble] += 1
        return said

    def _look(self, task_id: str, trouble: str, sold_at: float) -> bytes:
        match trouble:
            case "look-500":
                return answer(b'{"detail": "Internal server error"}', "500 Internal Server Error")
            case "look-garbage":
                return answer(b'{"code": 0, "data": {"task_')
            case "look-401":
                return answer(said_by_kling(1000, "authentication failed"), "401 Unauthorized")
            case "look-429":
                return answer(said_by_kling(1302, "request too fast"), "429 Too Many", ABSURD)
            case _:
                is_done = monotonic() - sold_at >= TASK_SECONDS
                return answer(task(task_id, "succeed" if is_done else "processing"))


class SilentStation(Station):
    """Takes chats, and answers none of them before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = Event()

    async def act(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.met["chat"] += 1
        while not self.answers.is_set():
            await asyncio.sleep(0.05)
        message = {"role": "assistant", "content": "hello"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        writer.write(answer(json.dumps({"choices": [choice]}).encode()))


def said_by_kling(code: int, message: str) -> bytes:
    return json.dumps({"code": code, "message": message, "request_id": "r"}).encode()


def task(task_id: str, status: str) -> bytes:
    films = [{"id": "v", "url": "http://127.0.0.1:9/film.mp4", "duration": "5"}]
    result = {"task_result": {"videos": films}} if status == "succeed" else {}
    data = {"task_id": task_id, "task_status": status, **result}
    return json.dumps({"code": 0, "message": "ok", "data": data}).encode()


@contextmanager
def served(station: Station) -> Generator[str]:
    """The station on a loop of its own; its URL."""
    urls: list[str] = []
    started, over = Event(), Event()

    async def serve() -> None:
        async with acting(station.act) as url:
            urls.append(url)
            started.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield urls[0]
    finally:
        over.set()
        thread.join(30)


@contextmanager
def hanging_receiver() -> Generator[str]:
    """A webhook receiver that takes requests and never answers."""

    async def hang(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    class Silent(Station):
        async def act(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
            await hang(head, body, writer)

    with served(Silent()) as url:
        yield f"{url}/hook"


def ordered(genq: Deployment, prompt: str, model: str, **fields: object) -> str:
    """The id of a film's job."""
    request = {"prompt": prompt, "model_name": model}
    return genq.submit("kling.text2video", prompt, input=request, **fields)


def slowest(genq: Deployment) -> timedelta:
    """How long the slowest of a healthy crowd took, from its order to its webhook."""
    jobs = [ordered(genq, f"healthy {n}", "kling-v1") for n in range(CROWD)]
    ended = [genq.until(job_id, "succeeded", patience=PATIENCE) for job_id in jobs]
    for job_id in jobs:
        assert genq.told(job_id)["data"]["state"] == "succeeded"
    return max(moment(job["finished_at"]) - moment(job["created_at"]) for job in ended)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_twenty_healthy_jobs_are_on_time_beside_each_sick_one(
    deploy: Deploy, sqlite_url: str, redis_url: str
) -> None:
    station = Station()
    with served(station) as url, hanging_receiver() as silent:
        genq: Deployment = deploy(sqlite_url, redis_url, GENQ_RETRY_BASE="5")
        (genq.folder / "stations.toml").write_text(STATIONS.format(url=url))
        genq.start_api()
        genq.start_worker()
        usual = slowest(genq)
        late: dict[str, timedelta] = {}
        sick: dict[str, str] = {}
        for trouble, times in TROUBLES.items():
            model = "kling-v1" if trouble.endswith("same-model") else trouble
            sick[trouble] = (
                genq.submit("flux.pro_1_1", "a paper city")
                if trouble == "polled-elsewhere"
                else ordered(genq, f"{trouble} job", model)
            )
            wait_for(
                lambda trouble=trouble, times=times: station.met[trouble] >= times,
                PATIENCE,
                f"the station to meet {trouble}",
            )
            late[trouble] = slowest(genq) - usual
        ordered(genq, "healthy but for its receiver", "kling-v1", webhook={"url": silent})
        late["receiver hangs"] = slowest(genq) - usual
        assert {trouble: by for trouble, by in late.items() if by > LATE} == {}
        assert station.met["look-500"] > TROUBLES["look-500"], "it is looked at all the while"
        assert station.met["look-429"] == station.met["submit-429"] == 1, "advice is followed"
        foreign = genq.job(sick["polled-elsewhere"])
        assert (foreign["state"], "127.0.0.2" in foreign["reason"]) == ("running", True), foreign
        reason = genq.job(sick["look-429"])["reason"]
        assert reason.startswith("the station refuses to be asked about it until")
        refused = genq.until(sick["submit-403-same-model"], "failed", patience=PATIENCE)
        assert refused["error"]["code"] == "auth"
        assert "nobody knows these words" in refused["error"]["message"]
        assert keys_check(genq)["ok"], "no job alone is a reason to hold anything"
        ordered(genq, "relay-is-empty for another job too", "relay-is-empty")
        told = "refuses key main for one model of kling (unavailable)"
        wait_for(lambda: told in keys_check(genq)["detail"], PATIENCE, "the model to be held")


def test_a_station_that_does_not_answer_submits_leaves_room_for_the_others(
    deploy: Deploy, sqlite_url: str, redis_url: str
) -> None:
    """Three times as many orders as the worker has places hang at one of its stations."""
    station, silent = Station(), SilentStation()
    with served(station) as url, served(silent) as silent_url:
        genq: Deployment = deploy(sqlite_url, redis_url, GENQ_WORKER_CONCURRENCY=str(PLACES))
        stations = STATIONS.format(url=url) + SILENT.format(url=silent_url)
        (genq.folder / "stations.toml").write_text(stations)
        genq.start_api()
        genq.start_worker()
        usual = slowest(genq)
        chat = {"model": "gpt-4o", "prompt": "hello"}
        hanging = [genq.submit("openai.chat", "hello", input=chat) for _ in range(3 * PLACES)]
        wait_for(lambda: silent.met["chat"] >= PLACES // 2, PATIENCE, "its places to be taken")
        assert slowest(genq) - usual <= LATE
        assert silent.met["chat"] < PLACES, "some places stay free for the other station"
        reasons = {genq.job(job_id)["reason"] for job_id in hanging}
        assert "station silent has not answered earlier submits yet" in reasons
        silent.answers.set()
        for job_id in hanging:
            genq.until(job_id, "succeeded", patience=PATIENCE)


def keys_check(genq: Deployment) -> dict[str, Any]:
    """What readiness says of keys. One model is no reason to close."""
    ready = genq.http.get(f"{genq.api_url}/readyz")
    assert ready.status_code == 200
    return ready.json()["checks"]["keys"]
