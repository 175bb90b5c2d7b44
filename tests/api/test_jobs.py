"""Looking at jobs, listing them, and whose they are."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from api.jobs.schemas import Job as JobDocument
from api.jobs.schemas import JobPage
from generation.contract.errors import ErrorCode
from generation.contract.status import Action, Asset, AssetType
from generation.job import Billed, Job, JobError, JobState, Result
from tests.api.serving import ORDER, Caller, pages
from tests.api.test_refused_orders import problem


def finished(job: Job) -> Job:
    """The job as a worker leaves it."""
    now = job.created_at + timedelta(minutes=5)
    sent = job.move(JobState.SUBMITTING, now, station="relay", key="main", dialect="kling.relay")
    running = sent.move(JobState.RUNNING, now, upstream_id="up_1", billed=Billed.YES)
    return running.move(
        JobState.SUCCEEDED,
        now,
        progress=100,
        finished_at=now,
        wake_at=None,
        result=Result(
            assets=(
                Asset(type=AssetType.VIDEO, url="https://cdn.example.com/a.mp4", expires_at=now),
            ),
            texts=("done",),
            actions=(Action("U1", "MJ::1"),),
            details={"seed": 7},
        ),
    )


def failed(job: Job) -> Job:
    now = job.created_at + timedelta(minutes=5)
    error = JobError(code=ErrorCode.MODERATED, message="no", upstream_status=200)
    return job.move(JobState.FAILED, now, finished_at=now, wake_at=None, error=error)


def test_a_job_is_seen_as_it_is_described(caller_on_both: Caller) -> None:
    caller = caller_on_both
    ordered = caller.order(metadata={"a": "b"})
    seen = caller.get(f"/v1/jobs/{ordered['id']}")
    assert (seen.status_code, seen.json()) == (200, ordered)
    for change in (finished, failed):
        job_id = caller.order()["id"]
        caller.change(job_id, change)
        document = JobDocument.model_validate_json(caller.get(f"/v1/jobs/{job_id}").content)
        assert document.state.value == change.__name__.replace("finished", "succeeded")


def test_what_has_not_changed_is_not_sent_again(caller_on_both: Caller) -> None:
    caller = caller_on_both
    job_id = caller.order()["id"]
    tag = caller.get(f"/v1/jobs/{job_id}").headers["etag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = caller.get(f"/v1/jobs/{job_id}", headers={"if-none-match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert int(again.headers["retry-after"]) >= 1
    caller.change(job_id, finished)
    changed = caller.get(f"/v1/jobs/{job_id}", headers={"if-none-match": tag})
    assert (changed.status_code, changed.json()["state"]) == (200, "succeeded")
    assert "retry-after" not in changed.headers


@pytest.mark.parametrize(
    "job_id",
    ["job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G", "job_1", "%00", "a%2Fb", "job_" + "U" * 26, "x" * 3000],
)
def test_what_does_not_exist_is_not_found(caller_on_both: Caller, job_id: str) -> None:
    for method, path in (("GET", f"/v1/jobs/{job_id}"), ("POST", f"/v1/jobs/{job_id}/cancel")):
        problem(caller_on_both.request(method, path), 404, "not_found")


def test_tenants_do_not_see_each_other(caller_on_both: Caller) -> None:
    acme, other = caller_on_both, caller_on_both.api.caller()
    job_id = acme.order()["id"]
    hidden = problem(other.get(f"/v1/jobs/{job_id}"), 404, "not_found")
    unknown = problem(other.get("/v1/jobs/job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"), 404, "not_found")
    assert hidden["detail"] == unknown["detail"]
    problem(other.post(f"/v1/jobs/{job_id}/cancel"), 404, "not_found")
    assert other.get("/v1/jobs").json()["data"] == []
    assert acme.get(f"/v1/jobs/{job_id}").json()["state"] == "queued"


def test_every_key_of_a_tenant_sees_its_jobs(caller: Caller) -> None:
    colleague = caller.api.caller(caller.tenant)
    assert colleague.get(f"/v1/jobs/{caller.order()['id']}").status_code == 200


class TestList:
    def test_newest_first_page_by_page(self, caller_on_both: Caller) -> None:
        caller = caller_on_both
        ids = [caller.order()["id"] for _ in range(7)]
        caller.api.caller().order()
        seen = [[job["id"] for job in page["data"]] for page in pages(caller, "/v1/jobs?limit=3")]
        assert [len(page) for page in seen] == [3, 3, 1]
        # Ids of one millisecond are in no order of their own.
        assert [job_id for page in seen for job_id in page] == sorted(ids, reverse=True)

    def test_a_full_last_page_is_the_last(self, caller: Caller) -> None:
        for _ in range(2):
            caller.order()
        answer = caller.get("/v1/jobs?limit=2")
        page = JobPage.model_validate_json(answer.content)
        assert (len(page.data), page.next_cursor, page.has_more) == (2, None, False)
        assert "link" not in answer.headers

    def test_the_link_leads_on(self, caller: Caller) -> None:
        for _ in range(3):
            caller.order()
        first = caller.get("/v1/jobs?state=queued&provider=kling&operation=text2video&limit=2")
        link = first.links["next"]["url"]
        assert "state=queued&provider=kling&operation=text2video&limit=2&cursor=" in link
        second = caller.get(link).json()
        assert len(second["data"]) == 1
        assert second["data"][0]["id"] not in {job["id"] for job in first.json()["data"]}

    def test_it_is_walked_back_by_the_other_cursor(self, caller_on_both: Caller) -> None:
        ids = sorted((caller_on_both.order()["id"] for _ in range(5)), reverse=True)
        first = caller_on_both.get("/v1/jobs?limit=2&provider=kling")
        assert (first.json()["prev_cursor"], "prev" in first.links) == (None, False)
        second = caller_on_both.get(first.links["next"]["url"])
        last = caller_on_both.get(second.links["next"]["url"])
        assert [job["id"] for job in last.json()["data"]] == ids[4:]
        back = caller_on_both.get(last.links["prev"]["url"])
        assert back.json()["data"] == second.json()["data"]
        assert back.json()["has_more"]
        start = caller_on_both.get(back.links["prev"]["url"])
        assert [job["id"] for job in start.json()["data"]] == ids[:2]
        assert "prev" not in start.links

    def test_every_filter_reaches_the_store(self, caller_on_both: Caller) -> None:
        caller = caller_on_both
        job = caller.order(metadata={"customer": "4 2", "a.b": "ü"})
        caller.order(metadata={"customer": "43"})
        placed = caller.post("/v1/jobs/batch", {"jobs": [ORDER]}).json()
        created = quote(job["created_at"])
        for query, found in (
            ("metadata.customer=4%202", 1),
            ("metadata.customer=4%202&metadata.a.b=%C3%BC", 1),
            ("metadata.customer=4%202&metadata.a.b=u", 0),
            (f"batch={placed['id']}", 1),
            (f"parent={job['id']}", 0),
            ("station=relay", 0),
            (f"created_after={created}", 3),
            (f"created_before={created}", 0),
            (f"updated_after={created}", 3),
            (f"updated_before={created}", 0),
            ("created_after=2026-01-01T00:00:00+01:00", 3),
        ):
            assert len(caller.get(f"/v1/jobs?{query}").json()["data"]) == found, query

    def test_jobs_ordered_meanwhile_do_not_shift_a_page(self, caller: Caller) -> None:
        ids = sorted((caller.order()["id"] for _ in range(4)), reverse=True)
        walk = pages(caller, "/v1/jobs?limit=2")
        first = next(walk)
        caller.order()
        assert [job["id"] for page in (first, *walk) for job in page["data"]] == ids

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", {"a", "b", "c"}),
            ("state=queued", {"a", "c"}),
            ("state=canceled", {"b"}),
            ("state=failed", set[str]()),
            ("provider=kling", {"a", "b"}),
            ("provider=midjourney", {"c"}),
            ("operation=imagine", {"c"}),
            ("provider=kling&operation=imagine", set[str]()),
            ("state=queued&provider=kling", {"a"}),
        ],
    )
    def test_filters(self, caller_on_both: Caller, query: str, expected: set[str]) -> None:
        imagine: dict[str, Any] = {"provider": "midjourney", "operation": "imagine"}
        names = {
            caller_on_both.order()["id"]: "a",
            (canceled := caller_on_both.order()["id"]): "b",
            caller_on_both.order(**imagine)["id"]: "c",
        }
        caller_on_both.post(f"/v1/jobs/{canceled}/cancel")
        listed = caller_on_both.get(f"/v1/jobs?{query}").json()["data"]
        assert {names[job["id"]] for job in listed} == expected

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("stat=queued", "'stat'"),
            ("state=done", "queued, submitting, running"),
            ("state=", "queued, submitting, running"),
            ("state=queued&state=failed", "state is given twice"),
            ("limit=0", "from 1 to 100"),
            ("limit=101", "from 1 to 100"),
            ("limit=ten", "from 1 to 100"),
            ("limit=%D9%A1", "from 1 to 100"),
            ("cursor=nonsense", "next_cursor"),
            ("cursor=%C3%A9", "next_cursor"),
            ("cursor=am9iXzE", "next_cursor"),
            ("provider=%00", "provider must be a name"),
            ("created_after=yesterday", "2027-01-31T12:00:00Z"),
            ("updated_before=2026-13-01T00:00:00Z", "2027-01-31T12:00:00Z"),
            ("parent=me", "the id of a job"),
            ("batch=job_1", "the id of a batch"),
            ("metadata.=x", "name of an entry"),
            ("&".join(f"metadata.{n}=x" for n in range(6)), "at most 5"),
        ],
    )
    def test_what_a_query_cannot_say(self, caller: Caller, query: str, words: str) -> None:
        document = problem(caller.get(f"/v1/jobs?{query}"), 400, "invalid_query")
        assert words in document["detail"]


class TestCancel:
    def test_a_queued_job_is_canceled_at_once(self, caller_on_both: Caller) -> None:
        caller = caller_on_both
        job_id = caller.order()["id"]
        for _ in range(2):
            answer = caller.post(f"/v1/jobs/{job_id}/cancel")
            assert answer.status_code == 200
            document = JobDocument.model_validate_json(answer.content)
            assert (document.state, document.billed) == (JobState.CANCELED, Billed.NO)
        job = caller.stored(job_id)
        assert (job.wake_at, job.sequence) == (None, 2)

    @pytest.mark.parametrize("state", [JobState.SUBMITTING, JobState.RUNNING, JobState.IN_DOUBT])
    def test_a_job_that_may_be_upstream_is_canceling(
        self, caller_on_both: Caller, state: JobState
    ) -> None:
        caller = caller_on_both
        job_id = caller.order()["id"]

        def sent(job: Job) -> Job:
            later = job.move(JobState.SUBMITTING, job.created_at)
            return later if state is JobState.SUBMITTING else later.move(state, job.created_at)

        caller.change(job_id, sent)
        answers = [caller.post(f"/v1/jobs/{job_id}/cancel") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].json() == answers[1].json()
        assert (answers[0].json()["canceling"], answers[0].json()["state"]) == (True, state)

    def test_a_job_that_has_ended_stays_as_it_ended(self, caller_on_both: Caller) -> None:
        caller = caller_on_both
        job_id = caller.order()["id"]
        caller.change(job_id, finished)
        document = problem(caller.post(f"/v1/jobs/{job_id}/cancel"), 409, "already_terminal")
        assert "has succeeded" in document["detail"]
        after = caller.get(f"/v1/jobs/{job_id}").json()
        assert (after["state"], after["canceling"]) == ("succeeded", False)


def test_an_order_is_a_plain_post_whatever_its_type_says(caller: Caller) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert caller.post("/v1/jobs", ORDER, headers=form).status_code == 202
