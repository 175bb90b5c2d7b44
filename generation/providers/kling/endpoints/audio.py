"""Sounds: speech, effects, and what a video would sound like."""

from generation.contract.status import AssetType
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.endpoints.examples import VIDEO
from generation.providers.kling.endpoints.video import VIDEO_MAKERS
from generation.providers.kling.requests.audio import TextToAudio, Tts, VideoToAudio

ENDPOINTS = (
    Endpoint(
        name="tts",
        summary="A text, read aloud; answered at once.",
        path="/v1/audio/tts",
        request=Tts,
        example={
            "text": "Good morning, everybody",
            "voice_id": "oversea_male1",
            "voice_language": "en",
        },
        typical_seconds=5,
        medium=AssetType.AUDIO,
        makes_task=False,
    ),
    Endpoint(
        name="text_to_audio",
        summary="A sound of 3 to 10 seconds from words.",
        path="/v1/audio/text-to-audio",
        request=TextToAudio,
        example={"prompt": "Rain on a tin roof, thunder far away", "duration": 5.0},
        typical_seconds=45,
        medium=AssetType.AUDIO,
    ),
    Endpoint(
        name="video_to_audio",
        summary="A video with sound that fits it, and that sound alone.",
        path="/v1/audio/video-to-audio",
        request=VideoToAudio,
        example={"video_url": VIDEO, "sound_effect_prompt": "footsteps on gravel"},
        typical_seconds=90,
        follows=VIDEO_MAKERS,
    ),
)
