"""A stack starts in order, keeps running, and ends without leftovers."""

import asyncio
import io
import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from ops.stack.program import Program, Restart
from ops.stack.stack_errors import ProgramFailed
from ops.stack.supervisor import Supervisor
from tests.services import processes
from tests.services.processes import is_running
from tests.services.waiting import wait_for_async
from tests.stack.programs import argv, diary, is_ready, pid_of

SOON = timedelta(seconds=30)
QUICKLY = Restart(first_pause=timedelta(milliseconds=20), give_up_after=3)


def program(name: str, folder: Path, *habits: str, patience: timedelta = SOON) -> Program:
    return Program(
        name=name,
        argv=argv(name, folder, *habits),
        ready=is_ready(name, folder),
        stop_timeout=patience,
        restart=QUICKLY,
    )


def exists(pid: int) -> bool:
    """Whether a process id is taken, be it by a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_programs_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    async with Supervisor(tmp_path / "logs") as stack:
        await stack.start(program("broker", tmp_path, "slow"))
        assert diary(tmp_path)[-1] == "broker ready"
        await stack.start(program("api", tmp_path))
        pids = [stack.pid("broker"), stack.pid("api")]
    assert diary(tmp_path) == [
        "broker started",
        "broker ready",
        "api started",
        "api ready",
        "api got SIGTERM",
        "broker got SIGTERM",
    ]
    assert not any(exists(pid) for pid in pids if pid)


async def test_output_goes_to_a_file_each_and_to_one_terminal(tmp_path: Path) -> None:
    terminal = io.StringIO()
    async with Supervisor(tmp_path / "logs", terminal=terminal) as stack:
        await stack.start(program("broker", tmp_path))
        await stack.start(program("api", tmp_path))
    assert "hello from api\n" in (tmp_path / "logs" / "api.log").read_text()
    assert "hello from broker\n" in (tmp_path / "logs" / "broker.log").read_text()
    assert "broker | hello from broker\n" in terminal.getvalue()
    assert "api    | hello from api\n" in terminal.getvalue()


async def test_env_is_added_and_standard_input_is_empty(tmp_path: Path) -> None:
    shell = 'echo "$GREETING, $PATH$(cat)."; exec sleep 60'
    expected = f"good day, {os.environ['PATH']}.\n"
    async with Supervisor(tmp_path) as stack:
        await stack.start(
            Program(name="sh", argv=["sh", "-c", shell], env={"GREETING": "good day"})
        )
        await wait_for_async(
            lambda: expected in (tmp_path / "sh.log").read_text(), SOON, "the greeting"
        )


async def test_a_crashed_program_is_restarted(tmp_path: Path) -> None:
    async with Supervisor(tmp_path / "logs") as stack:
        await stack.start(program("worker", tmp_path))
        first = stack.pid("worker")
        assert first
        os.kill(first, signal.SIGKILL)
        await wait_for_async(
            lambda: diary(tmp_path).count("worker ready") == 2, SOON, "a second run"
        )
        assert stack.pid("worker") not in (None, first)
    log = (tmp_path / "logs" / "worker.log").read_text()
    assert "-- was ended by SIGKILL; starting it again in 0.02 s\n" in log


async def test_a_crashing_program_is_given_up_with_its_last_lines(
    tmp_path: Path,
) -> None:
    with pytest.raises(ProgramFailed) as failure:
        async with Supervisor(tmp_path / "logs") as stack:
            await stack.start(program("broker", tmp_path))
            await stack.start(
                Program(name="api", argv=argv("api", tmp_path, "broken"), restart=QUICKLY)
            )
            await stack.forever()
    message = str(failure.value)
    assert "api ended with exit code 3, 3 times in quick succession" in message
    assert "no money left" in message
    assert failure.value.exit_code == 1
    assert diary(tmp_path).count("api started") == 3
    assert diary(tmp_path)[-1] == "broker got SIGTERM"
    # The cancellation that left the block is ours, and is not left to the caller.
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_program_that_was_never_ready_is_not_restarted(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match=r"(?s)api ended with exit code 3;.*no money left"):
        async with Supervisor(tmp_path / "logs") as stack:
            await stack.start(program("api", tmp_path, "broken"))
    assert diary(tmp_path) == ["api started"]


async def test_a_missing_program_is_reported(tmp_path: Path) -> None:
    async with Supervisor(tmp_path) as stack:
        with pytest.raises(ProgramFailed, match=r"(?s)exit code 127;.*no-such-program"):
            await stack.start(
                Program(name="api", argv=["no-such-program"], ready=is_ready("api", tmp_path))
            )


async def test_a_program_that_is_not_ready_in_time_is_stopped(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    async with Supervisor(tmp_path / "logs") as stack:
        with pytest.raises(ProgramFailed, match=r"api was not ready within 0\.3 s"):
            await stack.start(
                Program(
                    name="api",
                    argv=argv("api", tmp_path),
                    ready=never,
                    ready_timeout=timedelta(seconds=0.3),
                )
            )
        # By its command line: it may not have come so far as to write down its process id.
        assert not any(str(tmp_path) in each.command for each in processes.running().values())


async def test_a_program_is_killed_after_its_stop_timeout(tmp_path: Path) -> None:
    patience = timedelta(seconds=0.3)
    async with Supervisor(tmp_path / "logs") as stack:
        await stack.start(program("worker", tmp_path, "stubborn", patience=patience))
        began = time.monotonic()
    assert 0.3 <= time.monotonic() - began < 20
    assert diary(tmp_path)[-1] == "worker got SIGTERM"
    assert not exists(pid_of("worker", tmp_path))


async def test_grandchildren_die_with_a_crash_and_with_a_stop(tmp_path: Path) -> None:
    async with Supervisor(tmp_path / "logs") as stack:
        await stack.start(program("worker", tmp_path, "parent"))
        first = pid_of("worker", tmp_path, "child")
        assert is_running(first)
        os.kill(pid_of("worker", tmp_path), signal.SIGKILL)
        await wait_for_async(lambda: not is_running(first), SOON, "the first grandchild to die")
        await wait_for_async(
            lambda: diary(tmp_path).count("worker ready") == 2, SOON, "a second run"
        )
        second = pid_of("worker", tmp_path, "child")
        assert is_running(second)
    assert not is_running(second)


async def test_the_stop_signal_can_be_chosen(tmp_path: Path) -> None:
    async with Supervisor(tmp_path / "logs") as stack:
        await stack.start(
            Program(
                name="api",
                argv=argv("api", tmp_path),
                ready=is_ready("api", tmp_path),
                stop_signal=signal.SIGINT,
            )
        )
    assert diary(tmp_path)[-1] == "api got SIGINT"


async def test_an_error_in_the_block_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with Supervisor(tmp_path / "logs") as stack:
            await stack.start(program("api", tmp_path))
            raise ZeroDivisionError
    assert not exists(pid_of("api", tmp_path))


async def test_a_cancellation_from_outside_waits_until_everything_is_stopped(
    tmp_path: Path,
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit, Supervisor(tmp_path / "logs") as stack:
            await stack.start(program("api", tmp_path, "parent"))
            limit.reschedule(asyncio.get_running_loop().time())
            await stack.forever()
    assert diary(tmp_path)[-1] == "api got SIGTERM"
    assert not exists(pid_of("api", tmp_path))


async def test_a_second_cancellation_leaves_nothing_running(tmp_path: Path) -> None:
    async def run() -> None:
        async with Supervisor(tmp_path / "logs") as stack:
            patience = timedelta(seconds=0.3)
            await stack.start(program("api", tmp_path, "stubborn", patience=patience))
            await stack.forever()

    task = asyncio.create_task(run())
    await wait_for_async(lambda: "api ready" in diary(tmp_path), SOON, "the program")
    task.cancel()
    await wait_for_async(lambda: "api got SIGTERM" in diary(tmp_path), SOON, "the stop")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not exists(pid_of("api", tmp_path))


async def test_signal_handlers_are_restored(tmp_path: Path) -> None:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(signum) for signum in signals]
    async with Supervisor(tmp_path):
        assert [signal.getsignal(signum) for signum in signals] != before
    assert [signal.getsignal(signum) for signum in signals] == before


async def test_duplicate_program_names_are_rejected(tmp_path: Path) -> None:
    async with Supervisor(tmp_path / "logs") as stack:
        await stack.start(program("api", tmp_path))
        with pytest.raises(ValueError, match="give each its own name"):
            await stack.start(program("api", tmp_path))


def test_pauses_double_up_to_the_longest() -> None:
    restart = Restart(first_pause=timedelta(seconds=1), longest_pause=timedelta(seconds=5))
    assert [restart.pause(crashes).total_seconds() for crashes in (1, 2, 3, 4, 99)] == [
        *(1, 2, 4, 5, 5),
    ]
