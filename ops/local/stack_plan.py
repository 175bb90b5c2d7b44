"""The programs of a local stack and their settings.

Pure.

Nothing is started or looked up here; `ops.local.planning` decides what depends on this machine.
Everything listens on loopback. A stack that uses the sandbox never receives the operator's own
stations, so it cannot cost money.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from generation import providers
from generation.providers import RELAY_DIALECTS
from generation.settings import Settings
from ops.local.data_folder import DataFolder
from ops.stack.broker import GivenBroker, LocalBroker
from ops.stack.ports import LOOPBACK
from ops.stack.program import Program, Ready, http_answers

#: Speed of the sandbox's tasks: a video takes about 15 s instead of 5 minutes.
SPEED = 20
SANDBOX_KEY = "GENQ_LOCAL_SANDBOX_KEY"

#: Added to the longest submit timeout: an interrupted submit would be in doubt. A second Ctrl-C
#: does not wait.
WORKER_MARGIN = timedelta(seconds=15)
STOPS_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """A stack about to be started."""

    data_folder: DataFolder
    broker: GivenBroker | LocalBroker
    #: The settings the command itself needs: the database and the operator's first key.
    settings: Settings
    api_port: int
    flower_port: int
    #: None if the stack uses the operator's own stations.
    sandbox_port: int | None
    #: Whether the operator's `.env` is hidden from the programs.
    isolated: bool
    #: The command line of `genq`.
    genq: Sequence[str]

    @property
    def api_url(self) -> str:
        return f"http://{LOOPBACK}:{self.api_port}"

    @property
    def flower_url(self) -> str:
        return f"http://{LOOPBACK}:{self.flower_port}"

    @property
    def sandbox_url(self) -> str | None:
        """The sandbox's URL, if this stack has one."""
        return f"http://{LOOPBACK}:{self.sandbox_port}" if self.sandbox_port else None

    def broker_program(self) -> Program | None:
        """Return the broker's program; None if someone else runs it."""
        if isinstance(self.broker, GivenBroker):
            return None
        return Program(
            name="broker",
            argv=self.broker.argv,
            ready=self.broker.ready,
            stop_timeout=STOPS_WITHIN,
        )

    def sandbox_program(self) -> Program | None:
        """Return the sandbox station's program, if the stack uses it."""
        if self.sandbox_url is None:
            return None
        arguments = ("sandbox", "--host", LOOPBACK, "--port", str(self.sandbox_port))
        return self._program("sandbox", arguments, http_answers(f"{self.sandbox_url}/_sandbox/"))

    def flower_program(self) -> Program:
        return self._program("flower", ("flower",), http_answers(f"{self.flower_url}/healthcheck"))

    def api_program(self) -> Program:
        return self._program("api", ("api",), http_answers(f"{self.api_url}/healthz"))

    def worker_program(self, ready: Ready) -> Program:
        stop_timeout = providers.longest_submit(self.settings.submit_timeout) + WORKER_MARGIN
        return self._program("worker", ("worker",), ready, stop_timeout)

    def environment(self) -> Mapping[str, str]:
        """Return the variables added to every program's environment."""
        return {
            "GENQ_DATA_DIR": str(self.data_folder.folder),
            "GENQ_DATABASE_URL": self.settings.store_url,
            "GENQ_REDIS_URL": self.broker.url,
            "GENQ_API_HOST": LOOPBACK,
            "GENQ_API_PORT": str(self.api_port),
            "GENQ_FLOWER_HOST": LOOPBACK,
            "GENQ_FLOWER_PORT": str(self.flower_port),
            # Receivers under development run on this machine, on any port, without TLS.
            "GENQ_WEBHOOK_ALLOW_HTTP": "1",
            "GENQ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
            "GENQ_WEBHOOK_ALLOWED_PORTS": "any",
            **(self._sandbox_settings() if self.sandbox_port else {}),
            **(ISOLATED_SETTINGS if self.isolated else {}),
        }

    def _sandbox_settings(self) -> Mapping[str, str]:
        return {
            "GENQ_STATION_URL": "",
            "GENQ_STATION_KEY": "",
            "GENQ_STATIONS_FILE": str(self.data_folder.stations),
            SANDBOX_KEY: "any-key-opens-the-sandbox",
            "GENQ_SANDBOX_SPEED": str(SPEED),
        }

    def _program(
        self,
        name: str,
        arguments: Sequence[str],
        ready: Ready,
        stop_timeout: timedelta = STOPS_WITHIN,
    ) -> Program:
        argv = (*self.genq, *arguments)
        return Program(
            name=name,
            argv=in_folder(self.data_folder.folder, argv) if self.isolated else argv,
            env=self.environment(),
            ready=ready,
            stop_timeout=stop_timeout,
        )


#: Operator settings that a demonstration ignores. Empty means not set.
ISOLATED_SETTINGS = {
    "GENQ_PUBLIC_URL": "",
    "GENQ_FLOWER_BASIC_AUTH": "",
    "GENQ_API_KEY": "",
    "GENQ_WEBHOOK_SECRET": "",
}


def in_folder(folder: Path, argv: Sequence[str]) -> Sequence[str]:
    """Return the command, run in another folder: programs read `.env` from where they run."""
    return ("/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), *argv)


def sandbox_stations(url: str) -> str:
    """Return the stations file for a sandbox at this URL."""
    spoken = (
        f"speaks.{provider}.dialect = {json.dumps(dialect)}"
        for provider, dialect in RELAY_DIALECTS.items()
    )
    lines = (
        "# Rewritten by genq at each start of the sandbox.",
        "[[stations]]",
        'name = "sandbox"',
        f"url = {json.dumps(url)}",
        f"speed = {SPEED}",
        *spoken,
        f"keys = [{{ name = 'demo', env = {json.dumps(SANDBOX_KEY)} }}]",
        "",
    )
    return "\n".join(lines)
