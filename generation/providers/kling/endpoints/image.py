"""Pictures made of words and of other pictures."""

from generation.contract.status import AssetType
from generation.providers.kling.answers import cut_outs
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.endpoints.examples import OTHER_PICTURE, PICTURE
from generation.providers.kling.requests.image import (
    AiMultiShot,
    Expand,
    ImageGeneration,
    ImageRecognize,
    MultiImage2Image,
    OmniImage,
    VirtualTryOn,
)

ENDPOINTS = (
    Endpoint(
        name="image_generation",
        summary="Up to nine pictures from words, or from words and a picture.",
        path="/v1/images/generations",
        request=ImageGeneration,
        example={
            "model_name": "kling-v3",
            "prompt": "A greenhouse in the snow, lit from inside",
            "resolution": "1k",
            "n": 1,
            "aspect_ratio": "3:2",
        },
        typical_seconds=32,
        medium=AssetType.IMAGE,
        relayed=True,
    ),
    Endpoint(
        name="omni_image",
        summary="Pictures from words that name other pictures and elements.",
        path="/v1/images/omni-image",
        request=OmniImage,
        example={
            "model_name": "kling-image-o1",
            "prompt": "The woman in <<<image_1>>> as a bronze statue",
            "image_list": [{"image": PICTURE}],
            "resolution": "1k",
            "aspect_ratio": "auto",
        },
        typical_seconds=32,
        medium=AssetType.IMAGE,
    ),
    Endpoint(
        name="multi_image2image",
        summary="Pictures in which things from several pictures meet.",
        path="/v1/images/multi-image2image",
        request=MultiImage2Image,
        example={
            "model_name": "kling-v2",
            "prompt": "The woman reads beside the lamp",
            "subject_image_list": [{"subject_image": PICTURE}, {"subject_image": OTHER_PICTURE}],
            "n": 1,
            "aspect_ratio": "1:1",
        },
        typical_seconds=32,
        medium=AssetType.IMAGE,
    ),
    Endpoint(
        name="expand",
        summary="A picture that goes on beyond its edges.",
        path="/v1/images/editing/expand",
        request=Expand,
        example={"image": PICTURE, "left_expansion_ratio": 0.5, "right_expansion_ratio": 0.5},
        typical_seconds=32,
        medium=AssetType.IMAGE,
    ),
    Endpoint(
        name="virtual_try_on",
        summary="Somebody in other clothes.",
        path="/v1/images/kolors-virtual-try-on",
        request=VirtualTryOn,
        example={
            "model_name": "kolors-virtual-try-on-v1-5",
            "human_image": PICTURE,
            "cloth_image": "https://example.com/coat.png",
        },
        typical_seconds=19,
        medium=AssetType.IMAGE,
        relayed=True,
    ),
    Endpoint(
        name="image_recognize",
        summary="A picture's subject, head, face and clothes, cut out; answered at once.",
        path="/v1/videos/image-recognize",
        request=ImageRecognize,
        example={"image": PICTURE},
        typical_seconds=10,
        medium=AssetType.IMAGE,
        makes_task=False,
        reader=cut_outs,
    ),
    Endpoint(
        name="ai_multi_shot",
        summary="Something on a picture, seen from other sides.",
        path="/v1/general/ai-multi-shot",
        request=AiMultiShot,
        example={"element_frontal_image": PICTURE},
        typical_seconds=32,
        medium=AssetType.IMAGE,
    ),
)
