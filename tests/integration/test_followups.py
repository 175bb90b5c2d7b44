"""
Orders that follow a job, and tasks that wait for their caller.
"""

from datetime import timedelta
from typing import Any

from tests.deployment.deployment import Deployment
from tests.services.waiting import wait_for

SOON = timedelta(seconds=30)


def order(genq: Deployment, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = genq.request("POST", "/v1/jobs", json=body)
    return answer.status_code, answer.json()


def test_a_button_is_pressed_by_its_label(genq: Deployment) -> None:
    grid = genq.until(genq.submit("midjourney.imagine", "four cats"), "succeeded")
    assert "U1" in grid["actions"]
    status, single = order(genq, parent=grid["id"], action="U1", webhook={"url": genq.receiver.url})
    assert (status, single["operation"], single["parent"]) == (202, "action", grid["id"])
    done = genq.until(single["id"], "succeeded")
    assert done["upstream"]["station"] == grid["upstream"]["station"]
    assert done["upstream"]["id"] != grid["upstream"]["id"]
    assert [asset["type"] for asset in done["assets"]] == ["image"]
    assert genq.told(single["id"])["data"]["parent"] == grid["id"]


def test_what_cannot_follow_is_refused_before_it_is_paid_for(genq: Deployment) -> None:
    grid = genq.until(genq.submit("midjourney.imagine", "four dogs"), "succeeded")
    paid = genq.sandbox.stats()["paid_submits"]
    running = genq.submit("kling.text2video", "a film [stuck]")
    genq.until(running, "running")
    refusals: list[tuple[dict[str, Any], str, str]] = [
        ({"parent": grid["id"], "action": "U9"}, "#/input", "U1"),
        ({"parent": running, "action": "U1"}, "#/operation", "kling"),
        ({"parent": "job_nowhere", "action": "U1"}, "#/parent", "no such job"),
        ({"action": "U1"}, "#/parent", "required"),
        (
            {"parent": grid["id"], "provider": "kling", "operation": "text2video", "input": {}},
            "#/provider",
            "midjourney",
        ),
    ]
    for body, pointer, words in refusals:
        status, problem = order(genq, **body)
        assert status == 422, problem
        (entry,) = problem["errors"]
        assert entry["pointer"] == pointer, entry
        assert words in entry["detail"], entry
    assert genq.sandbox.stats()["paid_submits"] == paid + 1, "the film, and nothing else"


def test_a_window_waits_for_its_caller(genq: Deployment) -> None:
    grid = genq.until(genq.submit("midjourney.imagine", "a room"), "succeeded")
    _, single = order(genq, parent=grid["id"], action="U1")
    upscaled = genq.until(single["id"], "succeeded")
    zoom = next(label for label in upscaled["actions"] if "custom zoom" in label.lower())
    _, asked = order(genq, parent=upscaled["id"], action=zoom)
    waiting = genq.until(asked["id"], "awaiting_input")
    assert waiting["reason"]
    wrong = genq.request("POST", f"/v1/jobs/{asked['id']}/input", json={"colour": "red"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/colour")
    given = genq.request(
        "POST", f"/v1/jobs/{asked['id']}/input", json={"prompt": "a bigger room --zoom 1.8"}
    )
    assert given.status_code == 202
    genq.until(asked["id"], "succeeded")
    late = genq.request("POST", f"/v1/jobs/{asked['id']}/input", json={"prompt": "again"})
    assert (late.status_code, late.json()["code"]) == (409, "not_awaiting_input")
    assert genq.sandbox.stats()["paid_again"] == 0


def test_what_the_order_said_already_is_not_asked_again(genq: Deployment) -> None:
    grid = genq.until(genq.submit("midjourney.imagine", "a field"), "succeeded")
    _, single = order(genq, parent=grid["id"], action="U2")
    upscaled = genq.until(single["id"], "succeeded")
    zoom = next(label for label in upscaled["actions"] if "custom zoom" in label.lower())
    _, wider = order(
        genq, parent=upscaled["id"], action=zoom, input={"prompt": "a wide field --zoom 2"}
    )
    done = genq.until(wider["id"], "succeeded")
    assert done["attempts"] == 1
    assert genq.sandbox.stats()["paid_again"] == 0


def test_the_upstreams_words_are_kept(genq: Deployment) -> None:
    job_id = genq.submit("midjourney.imagine", "no [fail=the paint ran out]")
    genq.until(job_id, "failed")

    def said() -> str:
        return str(genq.request("GET", f"/v1/jobs/{job_id}/reply").json()["reply"])

    wait_for(lambda: "the paint ran out" in said(), SOON, "the upstream's words")
    assert said().startswith("HTTP 200")
    assert "sk-test" not in said()
