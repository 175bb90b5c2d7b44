"""Commands for jobs: submit, wait, get, cancel. Against a real API, worker and station."""

import json
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ops.cli.exit_codes import CliError, ExitCode
from ops.cli.input_file import read_input
from ops.stack.ports import free_port
from tests.cli.conftest import KEY, Deployment
from tests.cli.script import SOON, Genq
from tests.services.waiting import wait_for


@pytest.fixture
def caller(deployment: Deployment) -> Genq:
    return deployment.caller


def order(caller: Genq, prompt: str, *arguments: str) -> str:
    """The id of a new job."""
    answer = caller("submit", "midjourney.imagine", f"prompt={prompt}", *arguments)
    assert answer.code == 0, answer.err
    return answer.out.strip()


@pytest.fixture(scope="module")
def grid(deployment: Deployment) -> str:
    """A finished picture with buttons."""
    job_id = order(deployment.caller, "a lighthouse")
    assert deployment.caller("wait", job_id).code == 0
    return job_id


class TestSubmit:
    def test_submit_prints_only_the_id(self, caller: Genq) -> None:
        answer = caller("submit", "kling.text2video", "prompt=a cat", "duration=10")
        assert answer.code == 0
        assert answer.out.startswith("job_")
        assert f"genq wait {answer.out.strip()}" in answer.err

    def test_input_metadata_and_webhook_are_submitted(self, caller: Genq, tmp_path: Path) -> None:
        file = tmp_path / "order.json"
        file.write_text(json.dumps({"prompt": "a dog", "negative_prompt": "cats"}))
        answer = caller(
            *("submit", "kling.text2video", "prompt=42", "--input", str(file), "--json"),
            *("--metadata", "shop=a=b", "--webhook", "https://hooks.example.com/genq"),
        )
        assert answer.code == 0, answer.err
        assert answer.json["input"] == {"prompt": "42", "negative_prompt": "cats"}
        assert answer.json["metadata"] == {"shop": "a=b"}
        assert answer.json["webhook"]["url"] == "https://hooks.example.com/genq"

    def test_submit_reads_standard_input_and_waits(self, caller: Genq) -> None:
        answer = caller(
            *("submit", "midjourney.imagine", "--input", "-", "--wait"),
            stdin='{"prompt": "ein Boot — 船"}'.encode(),
        )
        assert answer.code == 0, answer.err
        (url,) = answer.out.splitlines()
        assert url.startswith("http")
        assert "midjourney.imagine succeeded" in answer.err

    def test_a_rejected_submit_says_what_to_change(self, caller: Genq) -> None:
        answer = caller("submit", "kling.text2video", "prompt=x", "durration=5", "mode=[1]")
        assert answer.code == 3
        assert (
            "genq: the API rejected the request: durration: is not a known field" in answer.sentence
        )
        unknown = caller("submit", "kling.smell2video", "prompt=x")
        assert unknown.code == 3
        assert "text2video" in unknown.sentence

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["prompt=a", "prompt=b"], "prompt is given twice"),
            (["prompt=a", "--metadata", "a=1", "--metadata", "a=2"], "a is given twice"),
            (["prompt=a", "--timeout", "5"], "--timeout needs --wait"),
            (["prompt=a", "--action", "U1"], "name it with --parent"),
            (["prompt=a", "--idempotency-key", "an ö"], "visible ASCII characters"),
            (["prompt=a", "--priority", "11"], "'--priority'"),
        ],
    )
    def test_ambiguous_arguments_are_rejected(
        self, caller: Genq, arguments: list[str], words: str
    ) -> None:
        answer = caller("submit", "kling.text2video", *arguments)
        assert (answer.code, answer.out) == (2, "")
        assert words in answer.sentence

    def test_deadline_priority_and_idempotency_key(self, caller: Genq) -> None:
        arguments = ("kling.text2video", "prompt=a cat", "--deadline", "10m", "--priority", "-3")
        first, again = (
            caller("submit", *arguments, "--idempotency-key", "cat-1", "--json") for _ in range(2)
        )
        assert first.code == 0, first.err
        assert first.json["priority"] == -3
        allowed = datetime.fromisoformat(first.json["deadline"]) - datetime.fromisoformat(
            first.json["created_at"]
        )
        assert allowed == timedelta(minutes=10)
        assert again.json["id"] == first.json["id"]

    def test_an_invalid_value_is_explained_without_a_pattern(self, caller: Genq) -> None:
        answer = caller("submit", "kling.text2video", "prompt=a cat", "duration=500")
        assert answer.sentence.endswith("duration: must be whole seconds from 1 to 99, as in 5")

    def test_an_invalid_command_line_submits_nothing(self, caller: Genq) -> None:
        answer = caller("submit", "kling.text2video", "--input", "-", stdin=b'{"prompt": NaN}')
        assert (answer.code, answer.out) == (2, "")
        assert "standard input is not JSON" in answer.sentence
        answer = caller("submit", "kling.text2video", "--metadata", "shop")
        assert (answer.code, answer.out) == (2, "")
        assert "'shop' is not NAME=VALUE" in answer.sentence

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "cannot be read: No such file"),
            (b"[1]", "is not a JSON object"),
            (b"\xff", "is not JSON"),
            (b'{"a": {"b": 1, "b": 2}}', "is not JSON: 'b' is given twice"),
            (b"[" * 100_000, "is not JSON: it is nested too deeply"),
        ],
    )
    def test_an_invalid_input_file_is_rejected(
        self, tmp_path: Path, content: bytes | None, words: str
    ) -> None:
        file = tmp_path / "order.json"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(CliError, match=words) as stop:
            read_input(str(file))
        assert stop.value.code is ExitCode.USAGE


class TestWait:
    def test_wait_for_several_jobs_of_which_one_fails(self, caller: Genq) -> None:
        good, bad = order(caller, "a boat"), order(caller, "a boat [fail=no more paint]")
        answer = caller("wait", good, bad, "--json")
        assert answer.code == 1
        documents = [json.loads(line) for line in answer.out.splitlines()]
        assert [each["id"] for each in documents] == [good, bad]
        assert [each["state"] for each in documents] == ["succeeded", "failed"]
        assert "no more paint" in answer.err
        late = caller("cancel", bad)
        assert late.code == 3
        assert "cannot be canceled" in late.sentence

    def test_a_timeout_is_code_4_and_the_job_continues(self, caller: Genq) -> None:
        job_id = order(caller, "a boat [stuck]")
        answer = caller("wait", job_id, "--timeout", "0.5")
        assert answer.code == 4
        assert job_id in answer.sentence
        assert caller("get", job_id, "--json").json["state"] in {"queued", "submitting", "running"}

    def test_ctrl_c_is_code_130_without_a_message(self, caller: Genq) -> None:
        job_id = order(caller, "a boat [stuck]")
        process = caller.popen("wait", job_id)
        assert process.stderr is not None
        first_line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
        assert first_line.startswith(job_id.encode())
        assert b"Traceback" not in rest
        assert process.returncode == 130

    def test_an_unknown_job_is_reported_by_its_id(self, caller: Genq) -> None:
        answer = caller("wait", "job_../x")
        assert answer.code == 3
        assert answer.sentence.startswith("genq: job_../x: the API rejected the request: ")


class TestJobs:
    def test_get_list_and_cancel(self, caller: Genq) -> None:
        job_id = order(caller, "a \x1b[31mboat [stuck]", "--metadata", "tag=one")

        def running() -> bool:
            return caller("get", job_id, "--json").json["state"] == "running"

        wait_for(running, SOON, "the job to run")
        shown = caller("get", job_id)
        assert shown.code == 0
        assert job_id in shown.out
        assert "tag='one'" in shown.out
        assert "\x1b" not in shown.out
        listed = caller("list", "--state", "running", "--provider", "midjourney", "--json").json
        assert job_id in [each["id"] for each in listed]
        assert {each["state"] for each in listed} == {"running"}
        (newest,) = (
            line for line in caller("list", "--limit", "1").out.splitlines() if "job_" in line
        )
        assert job_id in newest

        assert caller("cancel", job_id).code == 0
        waited = caller("wait", job_id)
        assert waited.code == 1
        assert f"{job_id} midjourney.imagine canceled" in waited.err

        told = caller("explain", job_id)
        assert told.code == 0
        assert f"{job_id}  midjourney.imagine  canceled" in told.out
        assert "Attempt 1: a worker took it and sent it to toys with the key" in told.out
        assert "Nothing: the job has ended" in told.out
        assert "\x1b" not in told.out
        assert caller("explain", job_id, "--json").json["attempts"][0]["led_to"] == "running"


class TestFollowUps:
    def test_act_submits_an_action_of_a_finished_job(self, caller: Genq, grid: str) -> None:
        answer = caller("act", grid, "U1", "--wait", "--timeout", "60", "--json")
        assert answer.code == 0, answer.err
        assert answer.json["parent"] == grid
        assert answer.json["input"] == {"action": "U1"}

    def test_submit_accepts_parent_and_action(self, caller: Genq, grid: str) -> None:
        answer = caller("submit", "--parent", grid, "--action", "V1", "--json")
        assert answer.code == 0, answer.err
        assert (answer.json["parent"], answer.json["operation"]) == (grid, "action")
        named = caller(
            *("submit", "midjourney.change", "--parent", grid, "action=UPSCALE", "index=2"),
            "--json",
        )
        assert named.code == 0, named.err
        assert named.json["input"] == {"action": "UPSCALE", "index": 2}

    def test_an_unknown_action_is_rejected(self, caller: Genq, grid: str) -> None:
        answer = caller("act", grid, "U9")
        assert answer.code == 3
        assert "it has U1, U2, U3, U4" in answer.sentence

    def test_input_continues_a_waiting_job(self, caller: Genq, grid: str) -> None:
        upscaled = caller("act", grid, "U1", "--wait", "--json").json["id"]
        window = caller("act", upscaled, "Custom Zoom").out.strip()

        def waits() -> bool:
            return caller("get", window, "--json").json["state"] == "awaiting_input"

        wait_for(waits, SOON, "the job to wait for its input")
        assert f"genq input {window}" in caller("get", window).out
        waited = caller("wait", window, "--timeout", "0")
        assert waited.code == ExitCode.TIMED_OUT
        assert f"send it with genq input {window} NAME=VALUE" in waited.err
        assert f"{window} needs input: genq input {window} NAME=VALUE" in waited.sentence
        assert caller("input", window).code == 2
        given = caller("input", window, "prompt=5 --zoom 1.5")
        assert given.code == 0, given.err
        assert f"genq wait {window}" in given.out
        assert caller("wait", window, "--timeout", "60").code == 0
        late = caller("input", window, "prompt=5 --zoom 1.5")
        assert (late.code, late.out) == (3, "")

    def test_erased_content_is_gone(self, caller: Genq) -> None:
        job_id = order(caller, "a boat nobody is to see")
        assert caller("wait", job_id).code == 0
        erased = caller("erase", job_id)
        assert erased.code == 0, erased.err
        shown = caller("get", job_id)
        assert "nobody is to see" not in shown.out
        assert "erased" in shown.out
        assert "has been erased" in caller("act", job_id, "U1").sentence

    def test_a_job_in_doubt_is_resolved_once(self, caller: Genq) -> None:
        job_id = order(caller, "a boat [no-id]")

        def in_doubt() -> bool:
            return caller("get", job_id, "--json").json["state"] == "in_doubt"

        wait_for(in_doubt, SOON, "the job to be in doubt")
        assert caller("resolve", job_id).code == 2
        assert caller("resolve", job_id, "--requeue", "--fail").code == 2
        settled = caller("resolve", job_id, "--fail")
        assert settled.code == 0, settled.err
        assert settled.out.startswith(f"{job_id} is in_doubt")
        assert f"genq wait {job_id}" in settled.out
        final = caller("wait", job_id, "--timeout", "60", "--json")
        assert (final.json["state"], final.json["billed"]) == ("failed", "no"), final.out
        assert caller("resolve", job_id, "--fail").code == 3


class TestOperations:
    def test_all_operations_are_listed(self, caller: Genq) -> None:
        answer = caller("operations")
        assert answer.code == 0
        rows = {line.split()[0]: line for line in answer.out.splitlines() if line.strip()}
        assert "toys" in rows["kling.text2video"]

    def test_the_example_of_an_operation_can_be_run(self, caller: Genq) -> None:
        answer = caller("operations", "kling.text2video")
        assert answer.code == 0
        assert "negative_prompt" in answer.out
        assert "Example: genq submit kling.text2video " in answer.out

    def test_operations_of_a_provider_are_listed(self, caller: Genq) -> None:
        answer = caller("operations", "kling")
        assert answer.code == 0
        assert "kling.text2video" in answer.out
        assert "midjourney" not in answer.out

    @pytest.mark.parametrize(
        ("name", "words", "other"),
        [
            ("kling.text2vidoe", "did you mean text2video? It has add_selection", "imagine"),
            ("klingg", "there is no provider 'klingg'; did you mean kling? There are", "imagine"),
        ],
    )
    def test_an_unknown_operation_is_reported(
        self, caller: Genq, name: str, words: str, other: str
    ) -> None:
        answer = caller("operations", name)
        assert answer.code == 2
        assert words in answer.sentence
        assert other not in answer.sentence

    def test_listing_jobs_of_an_unknown_provider_warns(self, caller: Genq) -> None:
        answer = caller("list", "--provider", "klingg")
        assert (answer.code, answer.out) == (0, "no jobs match\n")
        assert "there is no provider 'klingg'; did you mean kling?" in answer.sentence
        assert caller("list", "--provider", "luma").err == ""


class TestConnection:
    def test_an_unreachable_api(self, caller: Genq) -> None:
        began = time.monotonic()
        answer = caller.having(url=f"http://127.0.0.1:{free_port()}")("list")
        assert answer.code == 3
        assert "cannot be reached" in answer.sentence
        assert time.monotonic() - began < 20

    def test_a_wrong_key(self, caller: Genq) -> None:
        answer = caller.having(key="genq_wrong-key-of-many-letters")("list")
        assert answer.code == 3
        assert "unknown or was revoked" in answer.sentence
        assert "genq_wrong" not in answer.err

    def test_an_impossible_key_is_not_printed(self, genq: Genq) -> None:
        answer = genq.having(key="genq_hush\nhush")("list")
        assert answer.code == 2
        assert answer.sentence.startswith("genq: the API key holds characters")
        assert "hush" not in answer.err

    def test_a_server_that_is_not_genq(self, caller: Genq, deployment: Deployment) -> None:
        answer = caller.having(url=deployment.station_url)("list")
        assert answer.code == 3
        assert "not as genq's API does" in answer.sentence

    def test_no_key_at_all(self, genq: Genq) -> None:
        answer = genq("list")
        assert answer.code == 2
        assert "set GENQ_KEY" in answer.sentence

    def test_stored_credentials_are_used_only_for_their_url(
        self, genq: Genq, deployment: Deployment, tmp_path: Path
    ) -> None:
        (tmp_path / ".genq").mkdir()
        known = {"url": deployment.api_url, "key": KEY, "webhook_secret": "whsec_"}
        (tmp_path / ".genq" / "client.json").write_text(json.dumps(known))
        assert genq("list").code == 0
        elsewhere = genq("list", "--url", deployment.station_url)
        assert elsewhere.code == 2
        assert "no API key for" in elsewhere.sentence
