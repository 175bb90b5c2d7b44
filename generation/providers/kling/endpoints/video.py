"""Videos made of words, pictures and other videos."""

from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.endpoints.examples import OTHER_PICTURE, PICTURE, VIDEO
from generation.providers.kling.requests.video import (
    Image2Video,
    MotionControl,
    MultiImage2Video,
    OmniVideo,
    Text2Video,
)

ENDPOINTS = (
    Endpoint(
        name="text2video",
        summary="A video from a prompt.",
        path="/v1/videos/text2video",
        request=Text2Video,
        example={
            "model_name": "kling-v2-6",
            "prompt": "A paper boat sails down a rainy street, close to the water",
            "mode": "pro",
            "duration": "5",
            "aspect_ratio": "16:9",
        },
        typical_seconds=319,
        relayed=True,
    ),
    Endpoint(
        name="image2video",
        summary="A video that begins with a picture, ends with one, or both.",
        path="/v1/videos/image2video",
        request=Image2Video,
        example={
            "model_name": "kling-v2-6",
            "image": PICTURE,
            "prompt": "She turns her head and smiles",
            "mode": "pro",
            "duration": "5",
        },
        typical_seconds=164,
        relayed=True,
    ),
    Endpoint(
        name="multi_image2video",
        summary="A video in which up to four pictured things appear together.",
        path="/v1/videos/multi-image2video",
        request=MultiImage2Video,
        example={
            "model_name": "kling-v1-6",
            "image_list": [{"image": PICTURE}, {"image": OTHER_PICTURE}],
            "prompt": "The woman lights the lamp and puts it into the window",
            "mode": "std",
            "duration": "5",
            "aspect_ratio": "16:9",
        },
        typical_seconds=319,
        relayed=True,
    ),
    Endpoint(
        name="omni_video",
        summary="A video from words that name pictures, elements and another video.",
        path="/v1/videos/omni-video",
        request=OmniVideo,
        example={
            "model_name": "kling-video-o1",
            "prompt": "The woman in <<<image_1>>> walks through a market at night",
            "image_list": [{"image_url": PICTURE}],
            "mode": "pro",
            "aspect_ratio": "9:16",
            "duration": "5",
        },
        typical_seconds=319,
        relayed=True,
    ),
    Endpoint(
        name="motion_control",
        summary="A pictured character that moves as somebody in a video does.",
        path="/v1/videos/motion-control",
        request=MotionControl,
        example={
            "model_name": "kling-v2-6",
            "image_url": PICTURE,
            "video_url": VIDEO,
            "character_orientation": "video",
            "mode": "pro",
            "keep_original_sound": "yes",
        },
        typical_seconds=319,
    ),
)

#: Operations whose results are videos with an id of the vendor's.
VIDEO_MAKERS = frozenset(
    {
        *(endpoint.name for endpoint in ENDPOINTS),
        *("video_extend", "effects", "multi_elements", "video_to_audio"),
        *("lip_sync", "advanced_lip_sync", "avatar"),
    }
)
