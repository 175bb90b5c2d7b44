"""Asset URLs serve what their type promises, until they expire."""

import struct
import zlib

import httpx
import pytest

from ops.sandbox.handle import SandboxHandle
from ops.sandbox.media import render
from tests.sandbox.callers import KLING, MJ_DIRECT, MJ_STATION


def image_url(client: httpx.Client, task_id: str) -> str:
    return str(MJ_STATION.look(client, task_id).json()["imageUrl"])


def video_url(client: httpx.Client, task_id: str) -> str:
    return str(KLING.look(client, task_id).json()["data"]["task_result"]["videos"][0]["url"])


def content(extension: str, hue: float = 0.3, seconds: float = 5.0) -> bytes:
    medium = render(extension, hue, seconds)
    assert medium is not None
    return medium.content


def boxes(content: bytes) -> dict[str, bytes]:
    """The boxes of an MP4, by their path: `moov/trak/tkhd`."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        assert 8 <= size <= len(content) - at
        inner = content[at + 8 : at + size]
        found[kind.decode()] = inner
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            found |= {f"{kind.decode()}/{path}": box for path, box in boxes(inner).items()}
        at += size
    return found


def test_a_picture_is_a_whole_png_in_its_tasks_colour() -> None:
    picture = content("png")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(picture):
        size, kind = struct.unpack_from(">I4s", picture, at)
        chunks[kind] = picture[at + 8 : at + 8 + size]
        (checksum,) = struct.unpack_from(">I", picture, at + 8 + size)
        assert checksum == zlib.crc32(kind + chunks[kind])
        at += 12 + size
    assert [*chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
    assert picture != content("png", hue=0.8)


def test_a_preview_is_a_lossless_webp() -> None:
    preview = content("webp")
    assert preview[:4] == b"RIFF"
    assert preview[8:16] == b"WEBPVP8L"
    (size,) = struct.unpack_from("<I", preview, 4)
    assert size == len(preview) - 8
    assert preview[20] == 0x2F


@pytest.mark.parametrize("hue", [number / 12 for number in range(12)])
def test_a_video_is_as_long_as_asked_and_its_picture_is_where_it_says(hue: float) -> None:
    video = content("mp4", hue, seconds=10)
    assert video[4:8] == b"ftyp"
    found = boxes(video)
    scale, duration = struct.unpack_from(">II", found["moov/mvhd"], 12)
    assert duration / scale == 10
    (size,) = struct.unpack_from(">I", found["moov/trak/mdia/minf/stbl/stsz"], 12)
    (offset,) = struct.unpack_from(">I", found["moov/trak/mdia/minf/stbl/stco"], 8)
    assert video[offset : offset + size] == found["mdat"]
    (length,) = struct.unpack_from(">I", found["mdat"])
    assert length == size - 4
    assert found["mdat"][4] & 0x1F == 5  # a whole picture, which needs no other
    assert b"avcC" in found["moov/trak/mdia/minf/stbl/stsd"]
    assert b"\0\0\0" not in found["mdat"][4:]  # nothing in it looks like a start code


def test_a_sound_is_whole_frames_of_mp3() -> None:
    sound = content("mp3", seconds=3)
    frames = [sound[at : at + 36] for at in range(0, len(sound), 36)]
    assert {frame[:4] for frame in frames} == {b"\xff\xf3\x18\xc0"}
    assert {len(frame) for frame in frames} == {36}
    assert len(frames) * 0.036 == pytest.approx(3, abs=0.036)


def test_an_uncompressed_sound_is_a_whole_wav() -> None:
    sound = content("wav", seconds=3)
    assert (sound[:4], sound[8:16]) == (b"RIFF", b"WAVEfmt ")
    assert struct.unpack_from("<I", sound, 4) == (len(sound) - 8,)
    assert sound[36:40] == b"data"
    assert struct.unpack_from("<I", sound, 40) == (len(sound) - 44,) == (3 * 4000,)


def test_there_is_nothing_of_another_kind() -> None:
    assert render("exe", 0.0, 1.0) is None


def test_a_midjourney_image_is_served_under_a_signed_url(client: httpx.Client) -> None:
    url = image_url(client, MJ_STATION.created(client, "a cat [seconds=0]"))
    query = httpx.URL(url).params
    assert int(query["ex"], 16) - int(query["is"], 16) == 24 * 3600
    assert url.endswith("&")
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert client.head(url).status_code == 200


def test_a_preview_is_served_while_the_task_runs(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    task_id = MJ_DIRECT.created(client, "a cat [seconds=100]")
    sandbox.advance(50)
    answer = client.get(MJ_DIRECT.look(client, task_id).json()["imageUrl"])
    assert answer.headers["content-type"] == "image/webp"
    assert answer.content == content("webp", hue_of(answer.content))


def hue_of(preview: bytes) -> float:
    """The one hue of all there are whose preview this is."""
    return next(step / 48 for step in range(49) if content("webp", step / 48) == preview)


def test_a_signed_url_cannot_be_changed_and_dies_in_sandbox_time(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    url = image_url(client, MJ_STATION.created(client, "a cat [seconds=0] [expires=60]"))
    assert client.get(url.replace("?ex=", "?ex=f")).status_code == 403
    assert client.get(url.partition("?")[0]).status_code == 403
    sandbox.advance(58)
    assert client.get(url).status_code == 200
    sandbox.advance(3)
    assert client.get(url).status_code == 404


def test_a_kling_video_is_served_plainly_until_it_expires(
    sandbox: SandboxHandle, client: httpx.Client
) -> None:
    url = video_url(client, KLING.created(client, "a cat [seconds=0]"))
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.content[4:8] == b"ftyp"
    assert client.get(url.replace(".mp4", ".exe")).status_code == 404
    sandbox.advance(31 * 24 * 3600)
    assert client.get(url).status_code == 404


def test_there_is_no_video_before_success(client: httpx.Client) -> None:
    running = KLING.created(client, "a cat")
    failed = KLING.created(client, "a cat [seconds=0] [fail]")
    for task_id in (running, failed, "unknown"):
        assert client.get(f"/files/{task_id}/0.mp4").status_code == 404


def test_asset_urls_can_be_given_another_root(sandbox: SandboxHandle, client: httpx.Client) -> None:
    sandbox.configure(public_url="https://sandbox.example/")
    url = image_url(client, MJ_STATION.created(client, "a cat [seconds=0]"))
    assert url.startswith("https://sandbox.example/attachments/")
