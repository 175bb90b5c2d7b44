"""Upstreams that answer the submit itself, at OpenAI's form and at Chat Open, end to end."""

from datetime import timedelta

import httpx
import pytest

from tests.deployment.deployment import SHORT_LEASE, Deployment
from tests.deployment.fixtures import Deploy
from tests.services.waiting import wait_for

STATIONS = """
[[stations]]
name = "chat-open"
url = "{url}"
auth = "access-keys"
order = 1
speaks.openai.dialect = "openai.chatopen"
keys = [{{ env = "TEST_ACCESS_KEY", secret_env = "TEST_SECRET_KEY" }}]

[[stations]]
name = "relay"
url = "{url}"
order = 2
speaks.openai.dialect = "openai.relay"
keys = [{{ env = "TEST_STATION_KEY" }}]
"""

QUICKLY = timedelta(seconds=30)


@pytest.fixture
def chat(deploy: Deploy, sqlite_url: str, redis_url: str) -> Deployment:
    """A deployment whose first station speaks Chat Open's form, and the second one OpenAI's."""
    keys = {"TEST_ACCESS_KEY": "sk-access", "TEST_SECRET_KEY": "sk-secret"}
    deployment = deploy(sqlite_url, redis_url, GENQ_SUBMIT_LEASE=SHORT_LEASE, **keys)
    stations = STATIONS.format(url=deployment.sandbox.url)
    (deployment.folder / "stations.toml").write_text(stations)
    deployment.start_api()
    return deployment


def test_upstreams_that_answer_the_submit_itself(chat: Deployment) -> None:
    a_slow_answer_outlives_its_workers_order_to_stop(chat)
    what_they_refuse_and_lose_is_told(chat)


def a_slow_answer_outlives_its_workers_order_to_stop(chat: Deployment) -> None:
    """Longer than a lease on the wire, and most of it while the worker is leaving."""
    is_stopping = chat.start_worker()
    slow = chat.submit("openai.image_by_chat", "画一只猫 [slow=10]")
    wait_for(lambda: chat.sandbox.stats()["paid_submits"], QUICKLY, "the submit to arrive")
    stopped = chat.start_in_background(is_stopping.stop)
    chat.start_worker()

    quick = chat.submit("openai.chat", "What is a lighthouse for?")
    answered = chat.until(quick, "succeeded")
    assert answered["texts"] == ["0 picture(s) seen. You said: What is a lighthouse for?"]
    assert (answered["upstream"]["station"], answered["assets"]) == ("chat-open", [])

    drawn = chat.until(slow, "succeeded", "in_doubt", "failed")
    assert (drawn["state"], drawn["attempts"], drawn["billed"]) == ("succeeded", 1, "yes")
    story = chat.request("GET", f"/v1/jobs/{slow}/explain").text
    assert "submitting" in story
    assert "in_doubt" not in story, "the other worker leaves it alone"
    [asset] = drawn["assets"]
    assert httpx.get(asset["url"], trust_env=False).headers["content-type"] == "image/png"
    assert drawn["upstream"]["station"] == "relay"
    assert chat.told(slow)["data"]["assets"] == drawn["assets"]
    assert stopped.result(timeout=60) == 0
    assert chat.sandbox.stats()["paid_by_provider"] == {"openai": 2}


def what_they_refuse_and_lose_is_told(chat: Deployment) -> None:
    before = chat.sandbox.stats()["paid_submits"]
    moderated = chat.submit("openai.image", "something forbidden [moderated]")
    crowded = chat.submit("openai.chat", "a crowd [throttle=1]")
    lost = chat.submit("openai.chat", "where was I [drop]")
    silent = chat.submit("openai.image_by_chat", "画一只猫 [fail=no paint left]")

    assert chat.until(moderated, "failed")["error"]["code"] == "moderated"
    answered = chat.until(crowded, "succeeded")
    assert answered["attempts"] == 2
    failed = chat.until(silent, "failed")
    assert failed["error"]["code"] == "upstream_failed"
    assert "no paint left" in failed["error"]["message"]
    chat.until(lost, "in_doubt")
    chat.let_deadline_pass(lost)
    assert chat.until(lost, "expired")["billed"] == "unknown"
    paid = chat.sandbox.stats()["paid_submits"] - before
    assert paid == 3, "the lost one is never resent"
