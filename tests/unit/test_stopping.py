"""However a worker is run, it may finish the longest submit before it is killed."""

import re
from datetime import timedelta
from pathlib import Path

from generation import providers
from generation.settings import Settings

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
#: For saving the answer, and for what else a worker puts away.
MARGIN = timedelta(seconds=20)


def test_compose_waits_for_the_longest_submit() -> None:
    worker = COMPOSE.read_text().partition("\n  worker:\n")[2].partition("\n\n")[0]
    found = re.search(r"stop_grace_period: (\d+)s", worker)
    assert found is not None
    longest = providers.longest_submit(Settings.model_fields["submit_timeout"].default)
    assert timedelta(seconds=int(found[1])) >= longest + MARGIN


def test_the_longest_submit_is_one_of_an_operation_or_the_usual_one() -> None:
    longest = providers.longest_submit(timedelta(0))
    assert longest in {operation.submit_timeout for operation in providers.OPERATIONS}
    assert providers.longest_submit(timedelta(days=1)) == timedelta(days=1)
