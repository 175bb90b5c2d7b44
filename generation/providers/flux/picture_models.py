"""Models that make pictures from text, and from pictures: names and fields at each seller.

Durations are estimates, except for `pro_1_1`, whose five seconds come from the vendor's own
answers.
"""

from dataclasses import replace

from generation.providers.flux.model import COMMON, ROOM, TUNED, Model
from generation.providers.flux.pictures import (
    Dev,
    Flux2Flex,
    Flux2Klein,
    Flux2Pro,
    Kontext,
    Pro,
    Pro11,
    Schnell,
    Ultra,
)
from generation.providers.flux.request import FluxRequest
from generation.providers.flux.resellers import ANY_FORMAT, Fal, Replicate, Size, same

_FROM_WORDS = (
    Model(
        name="pro_1_1",
        summary="A picture from words, by FLUX 1.1 [pro].",
        request=Pro11,
        example={"prompt": "A lighthouse at dusk, oil on canvas", "width": 1024, "height": 768},
        typical_seconds=6,
        vendor="flux-pro-1.1",
        replicate=Replicate(
            model="flux-1.1-pro",
            formats=ANY_FORMAT,
            fields=same(*COMMON, "prompt_upsampling", "image_prompt"),
            size=Size.CUSTOM,
        ),
        fal=Fal(
            model="fal-ai/flux-pro/v1.1",
            fields=same(*COMMON, prompt_upsampling="enhance_prompt", image_prompt="image_url"),
            size=Size.OBJECT,
            routes={1: "fal-ai/flux-pro/v1.1/redux"},
        ),
        openai="flux-pro-1.1",
    ),
    Model(
        name="ultra",
        summary="A picture of four megapixels from words, by FLUX 1.1 [pro] ultra.",
        request=Ultra,
        example={"prompt": "A lighthouse at dusk, 35 mm film", "aspect_ratio": "21:9", "raw": True},
        typical_seconds=12,
        vendor="flux-pro-1.1-ultra",
        replicate=Replicate(
            model="flux-1.1-pro-ultra",
            fields=same(*COMMON, "aspect_ratio", "raw", "image_prompt", "image_prompt_strength"),
        ),
        fal=Fal(
            model="fal-ai/flux-pro/v1.1-ultra",
            fields=same(
                *COMMON,
                "aspect_ratio",
                "raw",
                "image_prompt_strength",
                prompt_upsampling="enhance_prompt",
                image_prompt="image_url",
            ),
            routes={1: "fal-ai/flux-pro/v1.1-ultra/redux"},
        ),
        openai="flux-pro-1.1-ultra",
    ),
    Model(
        name="pro",
        summary="A picture from words, by FLUX.1 [pro].",
        request=Pro,
        example={"prompt": "A lighthouse at dusk, oil on canvas", "steps": 40, "guidance": 2.5},
        typical_seconds=10,
        vendor="flux-pro",
        successor="pro_1_1",
        replicate=Replicate(
            model="flux-pro",
            formats=ANY_FORMAT,
            ranges={"guidance": (2, 5)},
            fields=same(
                *COMMON, "prompt_upsampling", "image_prompt", "steps", "guidance", "interval"
            ),
            size=Size.CUSTOM,
        ),
        fal=Fal(
            model="fal-ai/flux-pro/new",
            fields=same(
                *COMMON,
                **TUNED,
                prompt_upsampling="enhance_prompt",
                image_prompt="image_url",
            ),
            size=Size.OBJECT,
            routes={1: "fal-ai/flux-pro/v1/redux"},
        ),
        openai="flux-pro",
    ),
    Model(
        name="dev",
        summary="A picture from words, by FLUX.1 [dev].",
        request=Dev,
        example={"prompt": "A lighthouse at dusk, oil on canvas", "steps": 28, "guidance": 3},
        typical_seconds=8,
        vendor="flux-dev",
        replicate=Replicate(
            model="flux-dev",
            formats=ANY_FORMAT,
            fields=same("prompt", "seed", "guidance", "output_format", steps="num_inference_steps"),
            size=Size.SHAPE,
        ),
        fal=Fal(
            model="fal-ai/flux/dev",
            fields=same("prompt", "seed", "output_format", **TUNED),
            size=Size.OBJECT,
        ),
        openai="flux-dev",
    ),
    Model(
        name="schnell",
        summary="A picture from words in a second or two, by FLUX.1 [schnell].",
        request=Schnell,
        example={"prompt": "A lighthouse at dusk, oil on canvas", "steps": 4},
        typical_seconds=3,
        replicate=Replicate(
            model="flux-schnell",
            formats=ANY_FORMAT,
            ranges={"steps": (1, 4)},
            fields=same("prompt", "seed", "output_format", steps="num_inference_steps"),
            size=Size.SHAPE,
        ),
        fal=Fal(
            model="fal-ai/flux/schnell",
            fields=same("prompt", "seed", "output_format", steps="num_inference_steps"),
            size=Size.OBJECT,
        ),
        openai="flux-schnell",
    ),
)


def _kontext(tier: str, at_fal: str, typical_seconds: float) -> Model:
    return Model(
        name=f"kontext_{tier}",
        summary=f"A picture changed as words say, or one from words, by FLUX.1 Kontext [{tier}].",
        request=Kontext,
        example={"prompt": "Make it evening, with the lamps lit", "input_image": ROOM},
        typical_seconds=typical_seconds,
        vendor=f"flux-kontext-{tier}",
        replicate=Replicate(
            model=f"flux-kontext-{tier}",
            fields=same(*COMMON, "prompt_upsampling", "input_image", "aspect_ratio"),
        ),
        fal=Fal(
            model=f"{at_fal}/text-to-image",
            fields=same(
                *COMMON,
                "aspect_ratio",
                prompt_upsampling="enhance_prompt",
                input_image="image_url",
            ),
            routes={1: at_fal, 2: f"{at_fal}/multi"},
            listed="image_urls",
            listed_from=2,
        ),
        openai=f"flux-kontext-{tier}",
    )


def _flux2(
    tier: str, request: type[FluxRequest], typical_seconds: float, fal: Fal, *more: str
) -> Model:
    """Return a FLUX.2 model.

    `more` are the fields that Replicate takes beside the common ones. Klein is not sold there under
    documented names.
    """
    replicate = Replicate(
        model=f"flux-2-{tier}",
        formats=ANY_FORMAT,
        fields=same(*COMMON, *more),
        size=Size.CUSTOM,
        listed="input_images",
    )
    klein = tier.startswith("klein")
    return Model(
        name=f"flux_2_{tier.replace('-', '_')}",
        summary=f"A picture from words, and from other pictures, by FLUX.2 [{tier}].",
        request=request,
        example={"prompt": "The same room in winter light", "input_image": ROOM},
        typical_seconds=typical_seconds,
        vendor=f"flux-2-{tier}",
        replicate=None if klein else replicate,
        fal=fal,
        openai=f"flux-2-{tier}",
    )


def _flux2_at_fal(model: str, *names: str, **renamed: str) -> Fal:
    return Fal(
        model=model,
        fields=same(*names, **renamed),
        size=Size.OBJECT,
        routes={1: f"{model}/edit"},
        listed="image_urls",
        ranges={"safety_tolerance": (1, 5)},
    )


_FROM_BOTH = (
    _kontext("pro", "fal-ai/flux-pro/kontext", 10),
    _kontext("max", "fal-ai/flux-pro/kontext/max", 12),
    _flux2("pro", Flux2Pro, 12, _flux2_at_fal("fal-ai/flux-2-pro", *COMMON)),
    _flux2("max", Flux2Pro, 20, _flux2_at_fal("fal-ai/flux-2-max", *COMMON)),
    _flux2(
        "flex",
        Flux2Flex,
        25,
        _flux2_at_fal(
            "fal-ai/flux-2-flex", *COMMON, **TUNED, prompt_upsampling="enable_prompt_expansion"
        ),
        "prompt_upsampling",
        "steps",
        "guidance",
    ),
    *(
        _flux2(
            f"klein-{size}",
            Flux2Klein,
            3,
            replace(
                _flux2_at_fal(f"fal-ai/flux-2/klein/{size}", "prompt", "seed", "output_format"),
                formats=ANY_FORMAT,
            ),
        )
        for size in ("4b", "9b")
    ),
)

PICTURE_MODELS = (*_FROM_WORDS, *_FROM_BOTH)
