"""
Upstreams that call back: the wait is shorter, and a success that comes too late is known at once.
"""

from datetime import timedelta

from tests.deployment.deployment import STATIONS, Deployment
from tests.deployment.fixtures import Deploy
from tests.services.waiting import wait_for

#: Without a callback the first look comes later: a video usually takes two minutes and more.
SOON = timedelta(seconds=30)


def test_a_callback_shortens_the_wait_and_a_late_success_is_recovered(
    deploy: Deploy, postgres_url: str, redis_url: str
) -> None:
    genq = called_back(deploy(postgres_url, redis_url))
    in_time = genq.submit("kling.text2video", "a lighthouse [seconds=80]")
    too_late = genq.submit("kling.text2video", "a slow lighthouse [stuck]")

    # Its answer is lost, and this relay cannot be searched: only the call says what it is called.
    unanswered = genq.submit("midjourney.imagine", "a lost lighthouse [drop=1] [seconds=30]")
    # So is that of this one, whose upstream lists the addresses to call.
    listed = genq.submit("luma.video", "a listed lighthouse [drop=1] [seconds=40000]")

    job = genq.until(in_time, "succeeded", patience=SOON)
    assert job["assets"]
    job = genq.until(unanswered, "succeeded", patience=SOON)
    assert (job["attempts"], job["billed"]) == (1, "yes")
    assert genq.sandbox.paid(unanswered) == 1
    told = genq.request("GET", f"/v1/jobs/{unanswered}/events").json()["data"]
    assert "in_doubt" in {event["data"]["state"] for event in told}

    # The first call comes when two hundredths of its time are over: it has been found by then.
    job = genq.until(listed, "running", patience=SOON)
    assert genq.sandbox.stats()["list_looks"] >= 1
    genq.sandbox.finish(job["upstream"]["id"])
    job = genq.until(listed, "succeeded", patience=SOON)
    assert (job["attempts"], genq.sandbox.paid(job["upstream"]["id"])) == (1, 1)

    genq.until(too_late, "running")
    genq.let_deadline_pass(too_late)
    assert genq.until(too_late, "expired")["billed"] == "yes"
    assert genq.told(too_late)["type"] == "job.expired"
    genq.sandbox.finish(too_late)
    job = genq.until(too_late, "succeeded", patience=SOON)
    wait_for(lambda: len(genq.receiver.about(too_late)) == 2, SOON, "the second webhook")
    payloads = [told.verify(genq.webhook_secret) for told in genq.receiver.about(too_late)]
    recovered = next(payload for payload in payloads if payload["type"] == "job.recovered")
    assert recovered["data"]["assets"] == job["assets"] != []
    assert (job["billed"], job["error"]) == ("yes", None)
    assert genq.sandbox.paid(too_late) == genq.sandbox.paid(in_time) == 1
    assert genq.sandbox.stats()["looks"] <= 3 * 4, "a callback is a look, not a reason to ask often"


def called_back(genq: Deployment) -> Deployment:
    """The deployment, reachable for its station, whose tasks take as long as is usual."""
    text = STATIONS.format(url=genq.sandbox.url, speed=1)
    text += '[stations.speaks.luma]\ndialect = "luma.dream_machine"\n'
    (genq.folder / "stations.toml").write_text(text)
    genq.start_api()
    genq.settings["GENQ_PUBLIC_URL"] = genq.api_url
    genq.start_worker()
    return genq
