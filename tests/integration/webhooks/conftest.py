"""A delivery to send, and a sender that may send it to 127.0.0.1."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from generation.webhooks.delivery import Delivery
from generation.webhooks.guard import GuardPolicy
from generation.webhooks.sender import Sender
from generation.webhooks.signature import new_secret
from tests.services.missing import miss

BODY = '{"type":"job.succeeded","data":{"prompt":"雪山\\u0000 & </script>"},"id":"evt_1"}'.encode()
#: 127.0.0.1 and no other loopback address, so that 127.0.0.2 stands for a forbidden host.
LOOPBACK = GuardPolicy(
    allow_http=True, allowed_networks=(ip_network("127.0.0.1/32"),), allowed_ports=None
)

REQUEST = (
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    "-keyout key.pem -out cert.pem "
    "-subj /CN=hooks.example.com -addext subjectAltName=DNS:hooks.example.com"
)

MakeSender = Callable[..., Sender]


@pytest.fixture
async def make_sender() -> AsyncIterator[MakeSender]:
    """Makes senders with short timeouts, and closes them."""
    async with AsyncExitStack() as stack:

        def make(policy: GuardPolicy = LOOPBACK, **options: Any) -> Sender:
            options = {
                "total": timedelta(seconds=20),
                "connect": timedelta(seconds=10),
                **options,
            }
            sender = Sender(policy, **options)
            stack.push_async_callback(sender.aclose)
            return sender

        yield make


@pytest.fixture
def sender(make_sender: MakeSender) -> Sender:
    return make_sender()


@pytest.fixture(scope="session")
def secret() -> str:
    return new_secret()


def delivery(url: str, *, attempts: int = 0, body: bytes = BODY) -> Delivery:
    now = datetime.now(UTC)
    return Delivery(
        id="dlv_1",
        event_id="evt_1",
        event_type="job.succeeded",
        job_id="job_1",
        tenant="acme",
        api_key_id="key_1",
        url=url,
        lane="lane",
        body=body,
        attempts=attempts,
        wake_at=now,
        created_at=now,
    )


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for hooks.example.com, and the two ends that use it."""

    folder: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "cert.pem", self.folder / "key.pem")
        return context

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "cert.pem")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    if (openssl := shutil.which("openssl")) is None:
        miss(FileNotFoundError("install openssl; it makes the TLS receiver's certificate"))
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [openssl, *REQUEST.split()],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return Certificate(folder)
