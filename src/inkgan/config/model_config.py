"""The networks: layers, widths, weights."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from inkgan.config.value import Value

InitName = Literal["torch", "normal", "glorot", "he"]
Width = Annotated[int, Field(ge=1, le=65536)]
MAX_LAYERS = 64
StyleName = Literal["slant", "thickness", "width"]
GeneratorConditioning = Literal["concat", "multiply", "conditional-bn"]
DiscriminatorConditioning = Literal["concat", "auxiliary", "projection"]


class Normalization(Value):
    """Batch normalization; momentum and epsilon as in torch."""

    momentum: float = Field(0.1, gt=0, le=1)
    epsilon: float = Field(1e-5, gt=0)


class Kernel(Value):
    """The geometry of a convolution; padding "same" is that of TensorFlow (out = in / stride)."""

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
    norm_axis: Literal["channels", "features"] = Field(
        "channels",
        description="axis of the batch norm: each channel, or each output of the dense layer",
    )


class GeneratorConfig(Value):
    """How a generator is conditioned on the class, where there are classes."""

    conditioning: GeneratorConditioning = Field(
        "concat",
        description="concatenate the label to the latent, multiply both, or conditional batch norm",
    )


class DiscriminatorConfig(Value):
    """How a discriminator is conditioned on the class, where there are classes."""

    conditioning: DiscriminatorConditioning = Field(
        "concat",
        description="label planes beside the image, an auxiliary classifier, or projection",
    )
    spectral_norm: bool = Field(
        False, description="divide each layer by its largest singular value"
    )


class MlpGeneratorConfig(GeneratorConfig):
    """Linear layers up, tanh out."""

    family: Literal["mlp"] = "mlp"
    widths: tuple[Width, ...] = Field((256, 512, 1024), max_length=MAX_LAYERS)
    norm: Normalization | None = None
    negative_slope: float = Field(0.0, ge=0, lt=1, description="of the leaky ReLU; 0 means ReLU")


class MlpDiscriminatorConfig(DiscriminatorConfig):
    """Linear layers down to one logit."""

    family: Literal["mlp"] = "mlp"
    widths: tuple[Width, ...] = Field((512, 256), max_length=MAX_LAYERS)
    norm: Normalization | None = None
    negative_slope: float = Field(0.2, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)


class DcganGeneratorConfig(GeneratorConfig):
    """Transposed convolutions up, tanh out; without a stem the latent is 1x1 pixel."""

    family: Literal["dcgan"] = "dcgan"
    stem: Stem | None = Stem()
    layers: tuple[Convolution, ...] = Field((Convolution(channels=64),), max_length=MAX_LAYERS)
    output: Kernel = Kernel()
    norm: Normalization | None = Normalization()
    negative_slope: float = Field(0.0, ge=0, lt=1)
    bias: bool = Field(True, description="in the convolutions")


class DcganDiscriminatorConfig(DiscriminatorConfig):
    """Strided convolutions down, then one dense layer to the logit."""

    family: Literal["dcgan"] = "dcgan"
    layers: tuple[Convolution, ...] = Field(
        (Convolution(channels=64), Convolution(channels=128)), max_length=MAX_LAYERS
    )
    norm: Normalization | None = None
    negative_slope: float = Field(0.2, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    bias: bool = True


class ResidualGeneratorConfig(GeneratorConfig):
    """Residual blocks at doubling sides; bilinear upsampling, which leaves no checkerboard."""

    family: Literal["residual"] = "residual"
    widths: tuple[Width, ...] = Field((128, 64, 32), min_length=1, max_length=8)
    blocks: int = Field(1, ge=1, le=16, description="at each width")
    norm: Normalization | None = None
    negative_slope: float = Field(0.2, ge=0, lt=1)
    tanh_output: bool = Field(
        False, description="end with tanh; without it, images are clamped when they are drawn"
    )


class ResidualDiscriminatorConfig(DiscriminatorConfig):
    """Residual blocks at halving sides, without normalization."""

    family: Literal["residual"] = "residual"
    widths: tuple[Width, ...] = Field((32, 64, 128), min_length=1, max_length=8)
    blocks: int = Field(1, ge=1, le=16, description="at each width")
    negative_slope: float = Field(0.2, ge=0, lt=1)

    @property
    def norm(self) -> None:
        """None: this family has no normalization."""
        return


class CustomGeneratorConfig(Value):
    """A generator of one's own: a `torch.nn.Module` that `inkgan.train` is given.

    The name is for people and messages. Nothing ever imports it: `inkgan.load` is given the class.
    """

    family: Literal["custom"] = "custom"
    class_name: str = Field(min_length=1, max_length=200)

    @property
    def norm(self) -> None:
        """Unknown, and of no concern to a recipe."""
        return

    @property
    def conditioning(self) -> None:
        """Up to the class."""
        return


class CustomDiscriminatorConfig(Value):
    """A discriminator of one's own: a `torch.nn.Module` that `inkgan.train` is given."""

    family: Literal["custom"] = "custom"
    class_name: str = Field(min_length=1, max_length=200)
    spectral_norm: bool = Field(
        False, description="divide each layer by its largest singular value"
    )

    @property
    def norm(self) -> None:
        """Unknown, and of no concern to a recipe."""
        return


class Model(Value):
    """The two networks; any generator goes with any discriminator."""

    latent_dim: int = Field(100, ge=1, le=4096)
    classes: int = Field(
        0, ge=0, le=10_000, description="labels to condition on; 0 is unconditional"
    )
    style_measures: tuple[StyleName, ...] = Field(
        (), description="stroke measures that the first latent coordinates control"
    )
    shape_codes: int = Field(
        0,
        ge=0,
        le=256,
        description="principal components of the images that the next coordinates control",
    )
    init: InitName = Field("torch", description="torch's own, normal N(0, 0.02), glorot, or he")
    generator: (
        MlpGeneratorConfig | DcganGeneratorConfig | ResidualGeneratorConfig | CustomGeneratorConfig
    ) = Field(DcganGeneratorConfig(), discriminator="family")
    discriminator: (
        MlpDiscriminatorConfig
        | DcganDiscriminatorConfig
        | ResidualDiscriminatorConfig
        | CustomDiscriminatorConfig
    ) = Field(DcganDiscriminatorConfig(), discriminator="family")

    @property
    def known_coordinates(self) -> int:
        """The latent coordinates whose values are known for every training image."""
        return len(self.style_measures) + self.shape_codes
