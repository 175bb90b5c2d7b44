"""The files of a Midjourney task: previews while it runs, and its results."""

from ops.sandbox.knobs import Knob
from ops.sandbox.links import signed_url
from ops.sandbox.protocols.midjourney_buttons import job_of
from ops.sandbox.protocols.midjourney_work import Makes, work_of
from ops.sandbox.tasks import Phase, SandboxTask, View

FIELDS = ("imageUrl", "imageUrls", "videoUrl", "videoUrls")
SINGLES = 4


def files_of(task: SandboxTask, seen: View, url_secret: bytes) -> dict[str, object]:
    """The fields with file URLs; a field without a file is None."""
    files: dict[str, object] = {name: None for name in FIELDS}
    if seen.phase in (Phase.RUNNING, Phase.UNKNOWN) and seen.progress:
        name = f"{job_of(task)}_progress_image_{seen.progress}.webp"
        issued = seen.started_at or task.created_at
        return files | {"imageUrl": signed_url(url_secret, task, name, issued)}
    if seen.phase is not Phase.SUCCEEDED or task.submission.knobs.has(Knob.NO_URL):
        return files
    return files | _made(task, seen.finished_at or 0.0, url_secret)


def _made(task: SandboxTask, finished_at: float, url_secret: bytes) -> dict[str, object]:
    work = work_of(task)

    def url(name: str) -> str:
        return signed_url(url_secret, task, name, finished_at)

    match work.makes:
        case Makes.GRID:
            singles = [url(f"0_{n}.png") for n in range(SINGLES)]
            return {
                "imageUrl": url(f"sandbox_{job_of(task)}.png"),
                "imageUrls": [{"url": each, "thumbnail": each} for each in singles],
            }
        case Makes.PICTURE | Makes.SWAP | Makes.DESCRIPTION:
            return {"imageUrl": url(f"sandbox_{job_of(task)}.png")}
        case Makes.PREVIEWS:
            return {"imageUrl": url(f"sandbox_{job_of(task)}.webp")}
        case Makes.VIDEO:
            return {"imageUrl": url(f"sandbox_{job_of(task)}.mp4")}
        case Makes.VIDEOS:
            videos = [url(f"0_{n}.mp4") for n in range(work.count)]
            shown = [{"url": each, "thumbnail": ""} for each in videos]
            return {"videoUrl": videos[0], "videoUrls": shown}
        case Makes.SHORTER:
            return {}
