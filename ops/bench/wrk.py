"""Closed-loop load with wrk, which uses a small part of a core."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SCRIPT = """
local paths = {paths}
local number = 0
wrk.method = "{method}"
wrk.body = {body}
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer {key}"
math.randomseed(os.time())
local function random_key()
  return string.format("%08x-%08x-%08x-%d", math.random(0, 0x7fffffff),
    math.random(0, 0x7fffffff), math.random(0, 0x7fffffff), number)
end
request = function()
  number = number + 1
  if {keyed} then wrk.headers["idempotency-key"] = random_key() end
  return wrk.format(nil, paths[(number - 1) % #paths + 1])
end
done = function(summary, latency, requests)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format("MEASURED %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), bad))
end
"""


def wrk_load(
    folder: Path,
    urls: Sequence[str],
    key: str,
    body: str | None,
    *,
    connections: int,
    seconds: int,
    keyed: bool = False,
) -> dict[str, Any]:
    """Return the same fields as `ops.bench.load`. Latencies in milliseconds."""
    script = folder / "load.lua"
    paths = ", ".join(json.dumps(urlsplit(url).path) for url in urls)
    script.write_text(
        SCRIPT.format(
            paths=f"{{{paths}}}",
            method="GET" if body is None else "POST",
            body="nil" if body is None else json.dumps(body),
            key=key,
            keyed="true" if keyed else "false",
        )
    )
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "30s",
        "-s",
        str(script),
        urls[0],
    ]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"MEASURED (\d+) (\d+) (\d+) (\d+) (\d+)", answer.stdout)
    assert found is not None, answer.stdout
    requests, duration, median, p99, bad = (int(number) for number in found.groups())
    return {
        "requests": requests,
        "per_second": requests / duration * 1e6,
        "median": median / 1000,
        "p99": p99 / 1000,
        "refused": {"any": bad} if bad else {},
    }
