"""Every order there is."""

from generation.contract.status import AssetType
from generation.providers.flux.edit_models import EDIT_MODELS
from generation.providers.flux.model import Model
from generation.providers.flux.picture_models import PICTURE_MODELS
from generation.providers.flux.video import Video

_VIDEO = Model(
    name="flux_3_video",
    summary="A video from words, pictures or a video, by FLUX.3.",
    request=Video,
    example={
        "prompt": "A paper boat sails down a rainy street",
        "aspect_ratio": "16:9",
        "resolution": "hd",
        "duration": 5,
    },
    typical_seconds=180,
    vendor="flux-3-video",
    medium=AssetType.VIDEO,
)

MODELS = (*PICTURE_MODELS, *EDIT_MODELS, _VIDEO)

#: Whose results are pictures.
PICTURES = frozenset(model.name for model in MODELS if model.medium is AssetType.IMAGE)
