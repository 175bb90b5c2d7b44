"""Faces that speak."""

from generation.providers.kling.answers import faces
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.endpoints.examples import (
    PICTURE,
    SESSION_ID,
    SOUND,
    VIDEO,
    VIDEO_ID,
)
from generation.providers.kling.endpoints.video import VIDEO_MAKERS
from generation.providers.kling.requests.faces import (
    AdvancedLipSync,
    Avatar,
    IdentifyFace,
    LipSync,
)

ENDPOINTS = (
    Endpoint(
        name="lip_sync",
        summary="A video whose character says a text or a sound.",
        path="/v1/videos/lip-sync",
        request=LipSync,
        example={
            "input": {
                "mode": "text2video",
                "video_id": VIDEO_ID,
                "text": "Good morning, everybody",
                "voice_id": "oversea_male1",
                "voice_language": "en",
                "voice_speed": 1.0,
            }
        },
        typical_seconds=455,
        follows=VIDEO_MAKERS,
        relayed=True,
    ),
    Endpoint(
        name="identify_face",
        summary="The faces in a video, for advanced_lip_sync; answered at once.",
        path="/v1/videos/identify-face",
        request=IdentifyFace,
        example={"video_url": VIDEO},
        typical_seconds=10,
        follows=VIDEO_MAKERS,
        makes_task=False,
        reader=faces,
    ),
    Endpoint(
        name="advanced_lip_sync",
        summary="A video in which one of the faces found says a sound.",
        path="/v1/videos/advanced-lip-sync",
        request=AdvancedLipSync,
        example={
            "session_id": SESSION_ID,
            "face_choose": [
                {
                    "face_id": "0",
                    "sound_file": SOUND,
                    "sound_start_time": 0,
                    "sound_end_time": 3000,
                    "sound_insert_time": 1000,
                }
            ],
        },
        typical_seconds=455,
        follows=frozenset({"identify_face"}),
    ),
    Endpoint(
        name="avatar",
        summary="The person on a picture, saying a sound.",
        path="/v1/videos/avatar/image2video",
        request=Avatar,
        example={"image": PICTURE, "sound_file": SOUND, "mode": "std"},
        typical_seconds=455,
        follows=frozenset({"tts"}),
        relayed=True,
    ),
)
