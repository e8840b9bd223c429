"""Which images to learn, and in what form."""

from typing import Any, Literal

from pydantic import Field, model_validator

from inkgan.config.value import Value


class Augment(Value):
    """Random distortion of the real images, new at every draw; all zero means none."""

    rotate: float = Field(0.0, ge=0, le=180, description="degrees, drawn from [-rotate, rotate]")
    shift: float = Field(0.0, ge=0, le=64, description="pixels, along x and y")
    scale: float = Field(0.0, ge=0, lt=1, description="fraction, 0.1 draws from [0.9, 1.1]")
    elastic: float = Field(0.0, ge=0, le=16, description="pixels, spread of a smooth random field")
    interpolation: Literal["bilinear", "nearest"] = Field(
        "bilinear",
        description="between pixels: bilinear softens strokes, nearest keeps the values of pixels, "
        "as rotations of Pillow and torchvision do by default",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        """Accept "rotate:20,shift:2" for {rotate = 20, shift = 2}."""
        if not isinstance(value, str):
            return value
        parts = [part.partition(":") for part in value.split(",") if part.strip()]
        return {key.strip(): amount.strip() for key, _, amount in parts}


class Data(Value):
    """Which images to learn, and in what form.

    Whether there is a set of that name is checked when it is loaded (`data/registry.py`), so that
    a bundle can be used where the set of its user is not registered.
    """

    name: str = Field(
        "mnist",
        min_length=1,
        description="a data set, or a path: folder:PATH (sub-folders are classes), npz:PATH, "
        "csv:PATH or idx:PATH",
    )
    holdout: int = Field(
        5000,
        ge=0,
        description="images of the training split, reserved for validation: the last ones of "
        "built-in sets, of others a part in which every class keeps its share",
    )
    size: int | None = Field(None, ge=4, le=256, description="resize to size x size pixels")
    invert: Literal["auto"] | bool = Field(
        "auto",
        description="swap ink and paper; auto does so where gray images of one's own are dark on "
        "light, since MNIST's are light on dark",
    )
    channels: Literal[1, 3] | None = Field(None, description="1 makes gray, 3 makes RGB")
    augment: Augment = Augment()
    restack: bool = Field(
        False,
        description="give each channel of a batch to another image, where channels are independent "
        "of each other, as those of stacked-mnist",
    )
