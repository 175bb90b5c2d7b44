"""Luma through a relay that drives the vendor's own site, under paths of the site's own form.

Relays need more time than the vendor's API: the site's accounts take turns.
"""

from datetime import timedelta

from generation.contract.reply import Reply
from generation.contract.status import AssetType, SubmitAnswer
from generation.providers.luma.operation import LumaOperation, Row, Speech
from generation.providers.luma.relay_requests import RelayDownload, RelayExtend, RelayVideo
from generation.providers.luma.reply import read_download

SPEECH = Speech(
    dialect="luma.relay",
    floor=timedelta(seconds=3),
    deadline=timedelta(minutes=30),
    callback_field="notify_hook",
    batch_path="/tasks",
    # No relay documents how many it takes.
    batch_limit=50,
    relayed=True,
)

SAMPLE_GENERATION = "4665a07c-7641-4809-a133-10786201bb56"

VIDEOS = frozenset({"video", "extend"})

ROWS = (
    Row(
        name="video",
        summary="A video from a prompt, and from pictures to begin and to end with.",
        request=RelayVideo,
        example={
            "prompt": "A paper boat sails down a rainy street, close to the water",
            "aspect_ratio": "16:9",
            "expand_prompt": True,
        },
        medium=AssetType.VIDEO,
        typical_seconds=105,
    ),
    Row(
        name="extend",
        summary="A video that goes on where an earlier one ended.",
        request=RelayExtend,
        example={"prompt": "The boat reaches the sea", "generation_id": SAMPLE_GENERATION},
        medium=AssetType.VIDEO,
        typical_seconds=105,
        follows=VIDEOS,
    ),
)

DOWNLOAD = Row(
    name="download",
    summary="The clean copy of a video that came with a watermark only.",
    request=RelayDownload,
    example={"generation_id": SAMPLE_GENERATION},
    medium=AssetType.VIDEO,
    typical_seconds=2,
    follows=VIDEOS,
)


class Download(LumaOperation):
    """A download answer instead of a task: a URL that is valid for a short time only."""

    def __init__(self) -> None:
        super().__init__(SPEECH, DOWNLOAD)
        self.batch_limit = 0
        self.repeatable = True

    def parse_submit(self, reply: Reply) -> SubmitAnswer:
        return read_download(reply)


OPERATIONS = (*(LumaOperation(SPEECH, row) for row in ROWS), Download())
