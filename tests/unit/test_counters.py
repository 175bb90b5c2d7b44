"""What is counted as jobs move."""

from dataclasses import replace
from itertools import pairwise

from generation.contract.status import Accepted, Succeeded
from generation.counters import SUBMITS, SUBMITTED, counted
from generation.job import JobState
from generation.lifecycle import after_submit, begin_submit, doubt, expired, requeue_after_doubt
from tests.unit.jobs import a_job, at

AT_RELAY = {"station": "relay", "key": "main", "dialect": "kling.relay"}


def test_a_life_with_a_lost_answer_costs_one_submit():
    born = a_job()
    sent = begin_submit(born, at(1), **AT_RELAY)
    lost = doubt(sent, "no answer", at(2))
    again = requeue_after_doubt(lost, "it never arrived", at(200).now)
    resent = begin_submit(again, at(201), **AT_RELAY)
    running = after_submit(resent, Accepted("up_1"), at(202))
    late = expired(running, at(300))
    ended = replace(late, state=JobState.SUCCEEDED)
    steps = [born, sent, lost, again, resent, running, late, ended]
    counts = counted([(None, born), *pairwise(steps)])
    assert (counts[SUBMITS], counts[SUBMITTED]) == (1, 1)
    standing = {name: count for name, count in counts.items() if name.startswith("state.")}
    assert {name for name, count in standing.items() if count} == {
        "state.expired",
        "state.succeeded",
    }, "what ended is counted for good, what goes on is counted where it is"


def test_what_stays_in_its_state_is_not_counted_again():
    job = a_job(JobState.RUNNING, purchases=1)
    assert not any(counted([(job, job.keep(at(1).now, progress=50))]).values())


def test_an_answer_that_is_the_result_is_one_submit_too():
    job = after_submit(a_job(JobState.SUBMITTING), Succeeded(texts=("hi",)), at(1))
    counts = counted([(a_job(JobState.SUBMITTING), job)])
    assert (counts[SUBMITS], counts[SUBMITTED]) == (1, 1)
