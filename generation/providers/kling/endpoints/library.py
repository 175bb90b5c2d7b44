"""Voices and elements: made once, then named in other orders by their ids.

What the account made is deleted only through the job that made it, so that nobody deletes another
tenant's; for the same reason there is no list of it.
"""

from generation.contract.status import AssetType
from generation.providers.kling.answers import elements, voices
from generation.providers.kling.endpoints.endpoint import Endpoint
from generation.providers.kling.endpoints.examples import OTHER_PICTURE, PICTURE, SOUND
from generation.providers.kling.requests.library import (
    CustomElement,
    CustomVoice,
    DeleteElement,
    DeleteVoice,
    Presets,
)

ENDPOINTS = (
    Endpoint(
        name="custom_voice",
        summary="A voice, from a sound or video in which one person speaks.",
        path="/v1/general/custom-voices",
        request=CustomVoice,
        example={"voice_name": "narrator", "voice_url": SOUND},
        typical_seconds=45,
        medium=AssetType.AUDIO,
        follows=frozenset({"text2video", "image2video", "avatar", "lip_sync", "advanced_lip_sync"}),
    ),
    Endpoint(
        name="preset_voices",
        summary="A page of the vendor's own voices; answered at once.",
        path="/v1/general/presets-voices",
        request=Presets,
        example={"page_num": 1, "page_size": 30},
        typical_seconds=5,
        medium=AssetType.AUDIO,
        makes_task=False,
        reader=voices,
        method="GET",
    ),
    Endpoint(
        name="delete_voice",
        summary="Deletes the voice that a custom_voice job made.",
        path="/v1/general/delete-voices",
        request=DeleteVoice,
        example={},
        typical_seconds=5,
        follows=frozenset({"custom_voice"}),
        needs_parent=True,
        makes_task=False,
        done_when_taken=True,
    ),
    Endpoint(
        name="custom_element",
        summary="A character or thing that later videos and pictures can show again.",
        path="/v1/general/advanced-custom-elements",
        request=CustomElement,
        example={
            "element_name": "the lamp",
            "element_description": "A brass lamp with a green shade",
            "reference_type": "image_refer",
            "element_image_list": {
                "frontal_image": OTHER_PICTURE,
                "refer_images": [{"image_url": PICTURE}],
            },
        },
        typical_seconds=45,
        medium=AssetType.IMAGE,
    ),
    Endpoint(
        name="preset_elements",
        summary="A page of the vendor's own elements; answered at once.",
        path="/v1/general/advanced-presets-elements",
        request=Presets,
        example={"page_num": 1, "page_size": 30},
        typical_seconds=5,
        medium=AssetType.IMAGE,
        makes_task=False,
        reader=elements,
        method="GET",
    ),
    Endpoint(
        name="delete_element",
        summary="Deletes the element that a custom_element job made.",
        path="/v1/general/delete-elements",
        request=DeleteElement,
        example={},
        typical_seconds=5,
        follows=frozenset({"custom_element"}),
        needs_parent=True,
        makes_task=False,
        done_when_taken=True,
    ),
)
