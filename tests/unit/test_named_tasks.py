"""Which upstream tasks an order names."""

from typing import Any

import pytest

from generation.contract.named_tasks import tasks_named


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"prompt": "a cat", "model_name": "kling-v2"}, set[str]()),
        ({"upstream_id": "17"}, {"17"}),
        ({"task_id": "t-1", "continue_clip_id": "c-1"}, {"t-1", "c-1"}),
        ({"videoId": "v-1", "grid": "no", "wide": "no", "void": "no"}, {"v-1"}),
        ({"keyframes": {"frame0": {"type": "generation", "id": "g-1"}}}, {"g-1"}),
        ({"clip_ids": ["c-1", "c-2"], "images": ["data:image/png;base64,AA"]}, {"c-1", "c-2"}),
        ({"id": "two words"}, set[str]()),
        ({"id": 17}, set[str]()),
        ({"id": "x" * 301}, set[str]()),
    ],
)
def test_ids_are_known_by_what_they_are_called(given: dict[str, Any], named: set[str]) -> None:
    assert tasks_named(given) == named
