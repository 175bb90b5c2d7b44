"""Models and tools that work on a given picture: their names and fields at each seller.

Durations are estimates.
"""

from generation.providers.flux.edits import (
    Canny,
    Controlled,
    Depth,
    Erase,
    Expand,
    Fill,
    Outpaint,
    Redux,
    TryOn,
)
from generation.providers.flux.model import COMMON, RED, ROOM, TUNED, WHITE, Model
from generation.providers.flux.resellers import ANY_FORMAT, Fal, Replicate, Size, same


def _controlled(name: str, keeps: str, request: type[Controlled]) -> Model:
    return Model(
        name=name,
        summary=f"A picture that keeps the {keeps} of another, by FLUX.1 {name.title()} [pro].",
        request=request,
        example={"prompt": "A room of glass and steel", "control_image": RED},
        typical_seconds=15,
        vendor=f"flux-pro-1.0-{name}",
        successor="flux_2_pro, with the picture as input_image",
        replicate=Replicate(
            model=f"flux-{name}-pro",
            fields=same(*COMMON, "prompt_upsampling", "control_image", "steps", "guidance"),
        ),
        fal=Fal(
            model=f"fal-ai/flux-pro/v1/{name}",
            fields=same(
                *COMMON,
                **TUNED,
                prompt_upsampling="enhance_prompt",
                control_image="control_image_url",
            ),
        ),
    )


EDIT_MODELS = (
    Model(
        name="fill",
        summary="Repaint the masked part of a picture, by FLUX.1 Fill [pro].",
        request=Fill,
        example={"prompt": "A red door", "image": RED, "mask": WHITE},
        typical_seconds=15,
        vendor="flux-pro-1.0-fill",
        replicate=Replicate(
            model="flux-fill-pro",
            fields=same(*COMMON, "prompt_upsampling", "image", "mask", "steps", "guidance"),
        ),
        fal=Fal(
            model="fal-ai/flux-pro/v1/fill",
            fields=same(
                *COMMON,
                prompt_upsampling="enhance_prompt",
                image="image_url",
                mask="mask_url",
            ),
        ),
    ),
    Model(
        name="expand",
        summary="Add to the sides of a picture, by FLUX.1 Expand [pro].",
        request=Expand,
        example={"image": RED, "left": 256, "right": 256, "prompt": "An empty beach"},
        typical_seconds=15,
        vendor="flux-pro-1.0-expand",
    ),
    _controlled("canny", "edges", Canny),
    _controlled("depth", "depth", Depth),
    Model(
        name="redux",
        summary="Variations of a picture, by FLUX.1 Redux [dev].",
        request=Redux,
        example={"image": RED},
        typical_seconds=8,
        replicate=Replicate(
            model="flux-redux-dev",
            formats=ANY_FORMAT,
            fields=same(
                "seed",
                "guidance",
                "output_format",
                steps="num_inference_steps",
                image="redux_image",
            ),
            size=Size.SHAPE,
        ),
        fal=Fal(
            model="fal-ai/flux/dev/redux",
            fields=same("seed", "output_format", **TUNED, image="image_url"),
            size=Size.OBJECT,
        ),
    ),
    Model(
        name="outpaint",
        summary="Put a picture on a larger canvas, by the FLUX outpainting tool.",
        request=Outpaint,
        example={"input_image": ROOM, "width": 1920, "height": 1080},
        typical_seconds=12,
        vendor="flux-tools/outpainting-v1",
    ),
    Model(
        name="erase",
        summary="Take away what a mask covers, by the FLUX erase tool.",
        request=Erase,
        example={"image": RED, "mask": WHITE, "dilate_pixels": 10},
        typical_seconds=12,
        vendor="flux-tools/erase-v1",
    ),
    Model(
        name="try_on",
        summary="Dress a person in a garment, by the FLUX virtual try-on tool.",
        request=TryOn,
        example={
            "person": "https://images.example.com/person.jpg",
            "garment": "https://images.example.com/jacket.jpg",
        },
        typical_seconds=12,
        vendor="flux-tools/vto-v1",
    ),
)
