"""A recipe: networks, data, objective, optimiser and schedule as one value."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from inkgan.config.data_config import Data
from inkgan.config.model_config import Model
from inkgan.config.value import Value

LossName = Literal[
    "non-saturating", "minimax", "least-squares", "hinge", "wasserstein", "relativistic"
]
TransformationName = Literal["translation", "cutout", "colour"]


class Penalties(Value):
    """Weights of penalties on the discriminator's gradient; 0 leaves one out."""

    r1: float = Field(0.0, ge=0, description="gamma; half the squared gradient at real images")
    r2: float = Field(0.0, ge=0, description="gamma; the same at fakes")
    gradient: float = Field(0.0, ge=0, description="lambda of WGAN-GP, between real and fake")
    dragan: float = Field(0.0, ge=0, description="lambda of DRAGAN, around real images")
    every: int = Field(
        1, ge=1, le=1000, description="steps between two penalised ones, which then weigh as much"
    )
    final: float = Field(
        1.0, ge=0, description="share of the weights at the end of the run, reached by a cosine"
    )

    @property
    def any(self) -> bool:
        """Whether a penalty has a weight."""
        return max(self.r1, self.r2, self.gradient, self.dragan) > 0


class Objective(Value):
    """What the two networks minimise, and what holds the discriminator back."""

    loss: LossName = "non-saturating"
    penalties: Penalties = Penalties()
    classify: float = Field(
        1.0, ge=0, description="weight of an auxiliary classifier's cross-entropy (both players)"
    )
    style: float = Field(
        1.0, ge=0, description="weight of the squared error of the style read from an image"
    )
    clip: float | None = Field(
        None, gt=0, description="the discriminator's weights are clamped to [-clip, clip]"
    )
    augment: tuple[TransformationName, ...] = Field(
        (), description="what changes all that the discriminator sees, reals and fakes alike"
    )
    consistency: float = Field(
        0.0, ge=0, description="lambda of bCR; a shift by 2 pixels is not to change a logit"
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
            raise ValueError("each transformation is applied once; name none of them twice")
        return names


class Optim(Value):
    """Adam, the same for both networks but for the learning rate."""

    lr: float = Field(2e-4, gt=0, le=1)
    d_lr: float | None = Field(
        None, gt=0, le=1, description="the discriminator's own; unset is the same as lr"
    )
    final: float = Field(
        1.0, ge=0, le=1, description="share of the rates at the end of the run, reached by a cosine"
    )
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-8, gt=0, le=1)
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of products and convolutions; weights stay float32"
    )


class Schedule(Value):
    """For how long, in what bites, and what is averaged and shown on the way."""

    batch_size: int = Field(128, ge=2, le=65536)
    d_steps: int = Field(
        1, ge=1, le=100, description="updates of the discriminator for one of the generator"
    )
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

    @property
    def images_per_step(self) -> int:
        """The real images that one step shows to the discriminator."""
        return self.batch_size * self.d_steps


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
    def _objective_makes_sense(self) -> Self:
        objective = self.objective
        penalised = objective.penalties.any
        held = penalised or objective.clip is not None or self.model.discriminator.spectral
        if objective.loss == "wasserstein" and not held:
            raise ValueError(
                "objective.loss=wasserstein is only a distance while the discriminator's slope is "
                "held: add objective.penalties.gradient=10 or objective.clip=0.01, or set "
                "model.discriminator.spectral=true"
            )
        if penalised and self.model.discriminator.norm is not None:
            raise ValueError(
                "objective.penalties speak of one image's gradient, which batch normalisation "
                "mixes with the others': set model.discriminator.norm=none"
            )
        return self

    @model_validator(mode="after")
    def _regularisers_make_sense(self) -> Self:
        discriminator, objective = self.model.discriminator, self.objective
        if objective.consistency and discriminator.norm is not None:
            raise ValueError(
                "objective.consistency compares one image's logit before and after a shift, but "
                "batch normalisation makes it depend on the other images: set "
                "model.discriminator.norm=none"
            )
        if discriminator.spectral and discriminator.norm is not None:
            raise ValueError(
                "model.discriminator.spectral divides each layer by a number, which batch "
                "normalisation behind it divides out again: set model.discriminator.norm=none"
            )
        if discriminator.spectral and objective.clip is not None:
            raise ValueError(
                "model.discriminator.spectral leaves only the direction of the weights to count, "
                "so clamping their size bounds nothing: set objective.clip=none"
            )
        return self

    @model_validator(mode="after")
    def _conditioning_makes_sense(self) -> Self:
        model = self.model
        if model.classes == 1:
            raise ValueError("model.classes=1 tells nothing; use 0 (unconditional) or 2 or more")
        in_norms = model.classes and model.generator.conditioning == "normalisation"
        if in_norms and model.generator.norm is None:
            raise ValueError(
                "model.generator.conditioning=normalisation needs batch normalisation there: "
                "set model.generator.norm={}, or conditioning=multiplied"
            )
        if len(set(model.style)) < len(model.style):
            raise ValueError(f"model.style={list(model.style)} names a measure twice")
        if len(model.style) >= model.latent_dim:
            raise ValueError(f"model.style needs a model.latent_dim above {len(model.style)}")
        bent = self.data.augment
        if model.style and (bent.rotate or bent.scale or bent.elastic):
            raise ValueError(
                "data.augment bends the strokes whose measures model.style has taken before: only "
                "shift goes with it"
            )
        return self

    @model_validator(mode="after")
    def _name_is_one_word(self) -> Self:
        if any(character in self.name for character in "/\\\n"):
            raise ValueError("name must not hold slashes or line breaks")
        return self
