"""`genq listen`, against a real API and a real receiver."""

import json
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from ops.cli.cursor_file import CursorFile, FeedCursor
from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.listen import events_after, first_query, parse_since
from ops.stack.child_reaper import ChildReaper
from ops.stack.ports import free_port
from tests.cli.conftest import SECRET, Deployment
from tests.cli.script import Genq
from tests.deployment.receiver import Received, running_receiver


def order(genq: Genq) -> str:
    answer = genq("submit", "midjourney.imagine", "prompt=a listener")
    assert answer.code == 0, answer.err
    return answer.out.strip()


def test_events_are_forwarded_signed_and_the_next_run_continues(
    deployment: Deployment, reaper: ChildReaper, tmp_path: Path
) -> None:
    # A tenant of its own: nothing is told here of what other tests have ordered.
    key = deployment.operator("keys", "create", "a listener", "--json").json["key"]
    genq = Genq(tmp_path, deployment.caller.settings).having(key=key, webhook_secret=SECRET)
    with running_receiver() as receiver:
        receiver.answers = [500]
        command = ("listen", receiver.url, "--events", "job.queued,job.succeeded")
        with genq.running(reaper, *command) as running:
            running.until(lambda: "sending to" in running.log.read_text(), "it to listen")
            first = order(genq)
            running.until(lambda: len(receiver.about(first)) == 2, "the job's two events")
            running.until(lambda: "→ 200" in running.log.read_text(), "the answer to be told")
            running.process.send_signal(signal.SIGINT)
            assert running.process.wait(20) == ExitCode.OK
            assert "continues here" in running.log.read_text()
        missed = order(genq)
        with genq.running(reaper, *command) as running:
            running.until(lambda: len(receiver.about(missed)) == 2, "what was missed")
        received = receiver.received
    for each in received:
        each.verify(SECRET)
        assert each.headers["content-type"] == "application/json"
    assert [kind(each) for each in receiver.about(first)] == ["job.queued", "job.succeeded"]
    assert len({each.id for each in received}) == len(received), "each was sent once"
    lines = running.log.read_text().splitlines()
    assert [line for line in lines if "→ 500" in line and first in line], lines
    assert SECRET not in running.log.read_text()


def kind(received: Received) -> str:
    return received.payload["type"]


def test_json_output_needs_no_receiver(
    deployment: Deployment, reaper: ChildReaper, tmp_path: Path
) -> None:
    genq = Genq(tmp_path, deployment.caller.settings)
    job_id = order(genq)
    command = ("listen", "--json", "--since", "5m", "--events", "job.queued")
    with genq.running(reaper, *command) as running:
        running.until(lambda: job_id in running.log.read_text(), "the event to be printed")
        lines = [line for line in running.log.read_text().splitlines() if job_id in line]
    told = json.loads(lines[0])
    assert (told["event"]["type"], told["answer"]) == ("job.queued", None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("http://127.0.0.1:1/hook",), "no webhook secret to sign with"),
        (("http://127.0.0.1:1/hook", "--secret", "whsec_short"), "--secret or GENQ_WEBHOOK_SECRET"),
        (("127.0.0.1:1/hook",), "URL must begin with http:// or https://"),
        (("--since", "yesterday"), "--since must be a time such as 10m"),
    ],
)
def test_invalid_arguments_are_rejected(genq: Genq, arguments: tuple[str, ...], words: str) -> None:
    reachable = genq.having(url=f"http://127.0.0.1:{free_port()}", key="genq_key-of-nobody-at-all")
    answer = reachable("listen", *arguments)
    assert answer.code == ExitCode.USAGE
    assert words in answer.sentence


def test_the_cursor_file_keeps_one_position_per_api(tmp_path: Path) -> None:
    one, other = CursorFile(tmp_path, "http://one"), CursorFile(tmp_path, "http://other")
    assert one.read() is None
    one.write(FeedCursor("c1", "evt_1"))
    other.write(FeedCursor("c2"))
    assert (one.read(), other.read()) == (FeedCursor("c1", "evt_1"), FeedCursor("c2"))
    (tmp_path / "listen.json").write_text("[]")
    with pytest.raises(CliError, match="delete it, or give --since"):
        one.read()


def test_listening_begins_at_the_option_or_the_stored_cursor() -> None:
    assert first_query("start", FeedCursor("c1")) == {}
    assert first_query(None, None) == {"after": "latest"}
    assert first_query(None, FeedCursor("c1")) == {"after": "c1"}
    assert first_query(None, FeedCursor("c1", "evt_1")) == {"after": "c1", "seen": "evt_1"}
    assert first_query("2026-01-31T12:00:00Z", None) == {"since": "2026-01-31T12:00:00Z"}
    assert parse_since("2h") - parse_since("3h") > timedelta(minutes=59)


def test_seen_events_of_a_page_are_skipped() -> None:
    events = [{"id": "evt_1"}, {"id": "evt_2"}, {"id": "evt_3"}]
    assert events_after(events, "evt_2") == events[2:]
    assert events_after(events, None) == events_after(events, "evt_gone") == events
