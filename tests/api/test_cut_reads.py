"""What a caller notices of a database connection that breaks in the middle."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ops.faults.proxy import Harm, proxied
from tests.api.serving import serving, settings_of
from tests.api.test_refused_orders import problem
from tests.services.postgres import Cluster


@pytest.mark.parametrize("harm", [Harm.LOSE_ANSWER, Harm.LOSE_REQUEST])
def test_a_read_is_repeated_and_a_write_is_told(
    tmp_path: Path, postgres_url: str, postgres_cluster: Cluster, redis_url: str, harm: Harm
) -> None:
    with proxied(("127.0.0.1", postgres_cluster.port)) as line:
        port = urlsplit(postgres_url).port
        url = postgres_url.replace(f":{port}/", f":{line.port}/")
        with serving(settings_of(tmp_path, url, redis_url)) as served:
            caller = served.caller()
            job = caller.order()["id"]
            for path in ("/v1/jobs", f"/v1/jobs/{job}", "/v1/events"):
                cut = line.tamper(lambda chunk: b"SELECT job" in chunk, harm)
                assert caller.get(path).status_code == 200, path
                assert cut.done.is_set(), path
            cut = line.tamper(lambda chunk: b"INSERT INTO webhook_endpoints" in chunk, harm)
            answer = caller.post("/v1/webhook-endpoints", {"url": "https://example.com/hook"})
            assert cut.done.is_set()
            told = problem(answer, 503, "store_unavailable")
            assert "look before you do" in told["detail"]
            assert answer.headers["retry-after"] == "5"
