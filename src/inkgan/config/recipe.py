"""A recipe: networks, data, objective, optimizer and schedule as one value."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from inkgan.config.data_config import Augment, Data
from inkgan.config.model_config import Model
from inkgan.config.names import AugmentationName, CustomPenaltyName, LossName
from inkgan.config.value import Value

Precision = Literal["float32", "bfloat16"]
UpdateScheme = Literal["fresh", "reused", "simultaneous"]


class Penalties(Value):
    """Weights of penalties on the discriminator's gradient; 0 leaves one out."""

    r1: float = Field(
        0.0, ge=0, description="gamma of R1: half the squared gradient at real images"
    )
    r2: float = Field(0.0, ge=0, description="gamma of R2: the same at generated images")
    wgan_gp: float = Field(
        0.0, ge=0, description="lambda of WGAN-GP, between real and generated images"
    )
    dragan: float = Field(0.0, ge=0, description="lambda of DRAGAN, around real images")
    interval: int = Field(
        1,
        ge=1,
        le=1000,
        description="apply the penalties at every n-th step, with n times the weight",
    )
    final_factor: float = Field(
        1.0, ge=0, description="weights at the end of the run, as a factor; a cosine leads there"
    )

    custom: dict[CustomPenaltyName, Annotated[float, Field(ge=0)]] = Field(
        {}, description="weights of penalties of one's own (inkgan.register_penalty)"
    )

    @property
    def any(self) -> bool:
        """Whether a penalty has a weight."""
        return max(self.r1, self.r2, self.wgan_gp, self.dragan, *self.custom.values()) > 0


class Objective(Value):
    """What the two networks minimize, and what regularizes the discriminator."""

    loss: LossName = "non-saturating"
    penalties: Penalties = Penalties()
    aux_weight: float = Field(
        1.0, ge=0, description="weight of an auxiliary classifier's cross-entropy (both players)"
    )
    style_weight: float = Field(
        1.0, ge=0, description="weight of the squared error of the style predicted from an image"
    )
    code_weight: float = Field(1.0, ge=0, description="the same of the shape codes")
    paired_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="of generated images with the style and the shape codes of the real image that "
        "they are compared with, at the start; a cosine leads to 0 at the end",
    )
    weight_clip: float | None = Field(
        None,
        gt=0,
        description="the discriminator's weights are clamped to [-weight_clip, weight_clip]",
    )
    augment: tuple[AugmentationName, ...] = Field(
        (), description="random changes of every image that the discriminator gets, real or not"
    )
    consistency: float = Field(
        0.0, ge=0, description="lambda of bCR: a shift by 2 pixels should not change a logit"
    )

    @field_validator("augment", mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        """Accept "translation,cutout" for ["translation", "cutout"]."""
        if not isinstance(value, str):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())

    @field_validator("augment")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("each transformation is applied once; list none of them twice")
        return names


class Optim(Value):
    """Adam for both networks; only the learning rates may differ."""

    lr: float = Field(2e-4, gt=0, le=1)
    d_lr: float | None = Field(None, gt=0, le=1, description="of the discriminator; unset means lr")
    final_factor: float = Field(
        1.0,
        ge=0,
        le=1,
        description="learning rates at the end of the run, as a factor; a cosine leads there",
    )
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-8, gt=0, le=1)
    max_grad_norm: float | None = Field(
        None,
        gt=0,
        description="a longer gradient of either player is scaled down to this norm",
    )
    update_scheme: UpdateScheme = Field(
        "fresh",
        description="the generator's update draws fresh fakes after the discriminator's, or the "
        "discriminator's fakes are reused, or both players are updated from one forward pass "
        "(simultaneous)",
    )
    precision: Precision = Field(
        "float32", description="of products and convolutions; weights stay float32"
    )


class Schedule(Value):
    """Length of the run, size of the batches, and what is averaged and recorded on the way."""

    batch_size: int = Field(128, ge=2, le=65536)
    d_steps: int = Field(
        1, ge=1, le=100, description="updates of the discriminator for each of the generator"
    )
    epochs: int = Field(50, ge=1, le=1_000_000)
    images: int | None = Field(
        None, ge=1, description="stop after so many images, if that is earlier"
    )
    ema_half_life: int = Field(
        10_000, ge=0, description="of the averaged generator, in images; 0 uses the raw one"
    )
    sample_interval: int | None = Field(
        None, ge=1, description="images between two sample grids; unset means an epoch"
    )
    evaluation_interval: int | None = Field(
        None, ge=1, description="images between two evaluations; unset means with every grid"
    )

    @property
    def images_per_step(self) -> int:
        """Real images that one step shows to the discriminator."""
        return self.batch_size * self.d_steps


class Recipe(Value):
    """Everything that decides the outcome of a training run."""

    name: str = Field("custom", min_length=1, max_length=100)
    notes: str = Field("", description="what was chosen where the source left a value open")
    seed: int = Field(0, ge=0, lt=2**63)
    data: Data = Data()
    model: Model = Model()
    objective: Objective = Objective()
    optim: Optim = Optim()
    schedule: Schedule = Schedule()

    @model_validator(mode="after")
    def _check_loss(self) -> Self:
        objective, discriminator = self.objective, self.model.discriminator
        bounded = (
            objective.penalties.any
            or objective.weight_clip is not None
            or discriminator.spectral_norm
        )
        if objective.loss == "wasserstein" and not bounded:
            raise ValueError(
                "`objective.loss=wasserstein` is only a distance while the discriminator's slope "
                "is bounded: use `objective.penalties.wgan_gp=10`, `objective.weight_clip=0.01` or "
                "`model.discriminator.spectral_norm=true`"
            )
        return self

    @model_validator(mode="after")
    def _check_regularizers(self) -> Self:
        discriminator, objective = self.model.discriminator, self.objective
        without_norm = "use `model.discriminator.norm=none`"
        if discriminator.norm is not None:
            if objective.penalties.any:
                raise ValueError(
                    "`objective.penalties` need the gradient of one image, which batch "
                    f"normalization mixes with those of the others: {without_norm}"
                )
            if objective.consistency:
                raise ValueError(
                    "`objective.consistency` compares one image's logit before and after a shift, "
                    "but batch normalization makes it depend on the other images: "
                    f"{without_norm}"
                )
            if discriminator.spectral_norm:
                raise ValueError(
                    "`model.discriminator.spectral_norm` divides each layer by a number, which the "
                    f"batch normalization after it cancels: {without_norm}"
                )
        if discriminator.spectral_norm and objective.weight_clip is not None:
            raise ValueError(
                "`model.discriminator.spectral_norm` divides out the size of the weights, so "
                "clipping them bounds nothing: use `objective.weight_clip=none`"
            )
        return self

    @model_validator(mode="after")
    def _check_conditioning(self) -> Self:
        model = self.model
        if model.classes == 1:
            raise ValueError(
                "`model.classes=1` conditions on nothing; use `model.classes=0` (unconditional) or "
                "2 and more"
            )
        in_norms = model.classes and model.generator.conditioning == "conditional-bn"
        if in_norms and model.generator.norm is None:
            raise ValueError(
                "`model.generator.conditioning=conditional-bn` needs batch normalization there: "
                "use `model.generator.norm={}`, or `model.generator.conditioning=multiply`"
            )
        return self

    @model_validator(mode="after")
    def _check_style(self) -> Self:
        model, augment = self.model, self.data.augment
        if len(set(model.style_measures)) < len(model.style_measures):
            raise ValueError(
                f"`model.style_measures={list(model.style_measures)}` names a measure twice"
            )
        if model.known_coordinates >= model.latent_dim:
            raise ValueError(
                "`model.style_measures` and `model.shape_codes` need a `model.latent_dim` above "
                f"{model.known_coordinates}"
            )
        if self.objective.paired_share and not model.known_coordinates:
            raise ValueError(
                "`objective.paired_share` gives generated images the style of real ones, and this "
                "model has none: set `model.style_measures` or `model.shape_codes`, or use "
                "`objective.paired_share=0`"
            )
        if model.shape_codes and augment != Augment():
            raise ValueError(
                "`data.augment` would change the images after `model.shape_codes` were computed: "
                "use one of them"
            )
        if model.style_measures and (augment.rotate or augment.scale or augment.elastic):
            raise ValueError(
                "`data.augment` would change the strokes after `model.style_measures` were "
                "measured: only shift can be combined with them"
            )
        return self

    @model_validator(mode="after")
    def _check_restack(self) -> Self:
        if self.data.restack and (self.model.classes or self.model.known_coordinates):
            raise ValueError(
                "`data.restack` makes images that no label, style or code describes: use "
                "`model.classes=0` without `model.style_measures` and `model.shape_codes`, or "
                "`data.restack=false`"
            )
        return self

    @model_validator(mode="after")
    def _check_updates(self) -> Self:
        if self.optim.update_scheme == "simultaneous" and self.schedule.d_steps > 1:
            raise ValueError(
                "`optim.update_scheme=simultaneous` updates both players from one batch of fakes: "
                "set `schedule.d_steps=1`"
            )
        return self

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        if any(character in self.name for character in "/\\\n"):
            raise ValueError("`name` must not contain slashes or line breaks")
        if not self.name.isprintable() or self.name in (".", ".."):
            raise ValueError("`name` must have letters or digits, and no control characters")
        return self
