"""A recipe as one frozen value: what is trained, on what, how and for how long.

Recipes are complete: nothing changes one after it is made, and `toml.py` turns them into text and
back. Every field here is read by some part of the program.
"""

from types import NoneType
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from inkgan.errors import did_you_mean

LossName = Literal["non-saturating", "minimax", "least-squares", "hinge"]
InitName = Literal["torch", "normal", "glorot"]
DatasetName = Literal[
    "mnist", "fashion-mnist", "kmnist", "emnist-digits", "qmnist",
    "cifar10", "stacked-mnist", "uci-digits",
]  # fmt: skip
DATASET_PREFIXES = ("folder:", "npz:")

Width = Annotated[int, Field(ge=1, le=65536)]


def _allows_none(annotation: Any) -> bool:
    return NoneType in get_args(annotation)


class Value(BaseModel):
    """Base of all configuration values: frozen, and strict about unknown keys and NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )

    @model_validator(mode="before")
    @classmethod
    def _none_in_words(cls, value: Any) -> Any:
        """Read "none" as None where None is possible: TOML has no word for it."""
        if not isinstance(value, dict):
            return value
        optional = {key for key, item in cls.model_fields.items() if _allows_none(item.annotation)}
        return {k: None if v == "none" and k in optional else v for k, v in value.items()}


class Augment(Value):
    """Random distortion of the real images, fresh at every draw; all zero means none."""

    rotate: float = Field(0.0, ge=0, le=180, description="degrees, drawn from [-rotate, rotate]")
    shift: float = Field(0.0, ge=0, le=64, description="pixels, along x and y")
    scale: float = Field(0.0, ge=0, lt=1, description="fraction, 0.1 draws from [0.9, 1.1]")
    elastic: float = Field(0.0, ge=0, le=16, description="pixels, spread of a smooth random field")

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        """Accept "rotate:20,shift:2" for {rotate = 20, shift = 2}."""
        if not isinstance(value, str):
            return value
        parts = [part.partition(":") for part in value.split(",") if part.strip()]
        return {key.strip(): amount.strip() for key, _, amount in parts}


class Data(Value):
    """Which images are learnt, and in what form."""

    name: str = Field(
        "mnist", description="a data set, folder:PATH (sub-folders are classes) or npz:PATH"
    )
    holdout: int = Field(
        5000, ge=0, description="last images of the training split, kept back for validation"
    )
    size: int | None = Field(None, ge=4, le=256, description="resize to size x size pixels")
    channels: Literal[1, 3] | None = Field(None, description="1 makes grey, 3 makes RGB")
    augment: Augment = Augment()

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        names = DatasetName.__args__  # type: ignore[attr-defined]
        if name not in names and not name.startswith(DATASET_PREFIXES):
            raise ValueError(f"unknown data set {name!r}{did_you_mean(name, names)}")
        return name


class Normalisation(Value):
    """Batch normalisation; momentum and epsilon in torch's sense."""

    momentum: float = Field(0.1, gt=0, le=1)
    epsilon: float = Field(1e-5, gt=0)


class Kernel(Value):
    """The geometry of a convolution; padding "same" is TensorFlow's (out = in / stride)."""

    kernel: int = Field(4, ge=1, le=31)
    stride: int = Field(2, ge=1, le=8)
    padding: int | Literal["same"] = 1

    @field_validator("padding", mode="before")
    @classmethod
    def _pixels_or_same(cls, padding: Any) -> Any:
        if padding != "same" and (not isinstance(padding, int) or not 0 <= padding <= 30):
            raise ValueError("padding must be 0 to 30, or 'same'")
        return padding

    @model_validator(mode="after")
    def _same_is_possible(self) -> Self:
        if self.padding == "same" and self.stride == 1 and self.kernel % 2 == 0:
            raise ValueError("padding 'same' with stride 1 needs an odd kernel")
        return self


class Convolution(Kernel):
    """A convolution with its number of output channels."""

    channels: Width


class Stem(Value):
    """A dense layer that turns the latent into a small stack of channels."""

    channels: Width = 128
    bias: bool = True
    normalise: Literal["channels", "features"] = Field(
        "channels", description="statistics per channel, or for each of the dense layer's outputs"
    )


class MlpGenerator(Value):
    """Linear layers up, tanh out."""

    family: Literal["mlp"] = "mlp"
    widths: tuple[Width, ...] = (256, 512, 1024)
    norm: Normalisation | None = None
    slope: float = Field(0.0, ge=0, lt=1, description="of the leaky ReLU; 0 is a plain ReLU")


class MlpDiscriminator(Value):
    """Linear layers down to one logit."""

    family: Literal["mlp"] = "mlp"
    widths: tuple[Width, ...] = (512, 256)
    norm: Normalisation | None = None
    slope: float = Field(0.2, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)


class DcganGenerator(Value):
    """Transposed convolutions up, tanh out; without a stem the latent is 1x1 pixel."""

    family: Literal["dcgan"] = "dcgan"
    stem: Stem | None = Stem()
    layers: tuple[Convolution, ...] = (Convolution(channels=64),)
    output: Kernel = Kernel()
    norm: Normalisation | None = Normalisation()
    slope: float = Field(0.0, ge=0, lt=1)
    bias: bool = Field(True, description="in the convolutions")


class DcganDiscriminator(Value):
    """Strided convolutions down, then one dense layer to the logit."""

    family: Literal["dcgan"] = "dcgan"
    layers: tuple[Convolution, ...] = (Convolution(channels=64), Convolution(channels=128))
    norm: Normalisation | None = None
    slope: float = Field(0.2, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    bias: bool = True


class Model(Value):
    """The two networks; any generator meets any discriminator."""

    latent_dim: int = Field(100, ge=1, le=4096)
    init: InitName = Field("torch", description="torch's own, normal N(0, 0.02), or glorot")
    generator: MlpGenerator | DcganGenerator = Field(DcganGenerator(), discriminator="family")
    discriminator: MlpDiscriminator | DcganDiscriminator = Field(
        DcganDiscriminator(), discriminator="family"
    )


class Objective(Value):
    """What the two networks minimise."""

    loss: LossName = "non-saturating"


class Optim(Value):
    """Adam, the same for both networks."""

    lr: float = Field(2e-4, gt=0, le=1)
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-8, gt=0, le=1)


class Schedule(Value):
    """For how long, in what bites, and what is averaged and shown on the way."""

    batch_size: int = Field(128, ge=2, le=65536)
    epochs: int = Field(50, ge=1, le=1_000_000)
    images: int | None = Field(None, ge=1, description="stop after so many images, if earlier")
    ema_half_life: int = Field(
        10_000, ge=0, description="images, of the averaged generator; 0 shows the raw one"
    )
    sample_every: int | None = Field(
        None, ge=1, description="images between two sample grids; unset is an epoch"
    )
    evaluate_every: int | None = Field(
        None, ge=1, description="images between two evaluations; unset is with every grid"
    )


class Recipe(Value):
    """Everything that decides the outcome of a training run."""

    name: str = Field("custom", min_length=1, max_length=100)
    notes: str = Field("", description="where a source left a value open, what was chosen")
    seed: int = Field(0, ge=0, lt=2**63)
    data: Data = Data()
    model: Model = Model()
    objective: Objective = Objective()
    optim: Optim = Optim()
    schedule: Schedule = Schedule()

    @model_validator(mode="after")
    def _name_is_one_word(self) -> Self:
        if any(character in self.name for character in "/\\\n"):
            raise ValueError("name must not hold slashes or line breaks")
        return self
