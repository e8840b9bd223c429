"""The flagship, its short form, and the same networks on other data sets."""

from typing import Any

from inkgan.config import (
    Convolution,
    Data,
    DcganDiscriminatorConfig,
    DcganGeneratorConfig,
    Kernel,
    Model,
    Objective,
    Optim,
    Penalties,
    Recipe,
    Schedule,
    Stem,
)
from inkgan.config.serialize import override

_FLAGSHIP = Recipe(
    name="flagship",
    notes="The conditional generator that comes with inkgan; docs/flagship.md has the experiments. "
    "The class conditions the generator's batch norms, and three latent coordinates control the "
    "slant, thickness and width of the stroke, sixteen more its shape; heads of the "
    "discriminator predict them. Relativistic loss with R1 and R2 at every fourth step.",
    data=Data(name="mnist"),
    model=Model(
        latent_dim=64,
        classes=10,
        style_measures=("slant", "thickness", "width"),
        shape_codes=16,
        generator=DcganGeneratorConfig(
            stem=Stem(channels=128, bias=False),
            layers=(
                Convolution(channels=128, kernel=3, stride=1),
                Convolution(channels=80),
                Convolution(channels=80, kernel=3, stride=1),
                Convolution(channels=40),
            ),
            output=Kernel(kernel=3, stride=1),
            bias=False,
            conditioning="conditional-bn",
        ),
        discriminator=DcganDiscriminatorConfig(
            layers=(
                Convolution(channels=48),
                Convolution(channels=96),
                Convolution(channels=128, kernel=3, stride=1),
            ),
            conditioning="projection",
        ),
    ),
    objective=Objective(
        loss="relativistic",
        penalties=Penalties(r1=0.4, r2=0.4, interval=4, final_factor=0.25),
        style_weight=0.3,
        code_weight=0.15,
    ),
    optim=Optim(lr=1e-3, beta1=0.0, beta2=0.99, final_factor=0.05, precision="bfloat16"),
    schedule=Schedule(batch_size=64, epochs=100, images=2_000_000, ema_half_life=50_000),
)


_NO_CODES: dict[str, Any] = {"model.shape_codes": 0, "objective.code_weight": 1.0}


def _variant(name: str, notes: str, changes: dict[str, Any]) -> Recipe:
    return override(_FLAGSHIP, {"name": name, "notes": notes, **changes}, name)


FLAGSHIPS = (
    _FLAGSHIP,
    _variant(
        "flagship-quick",
        "The flagship for five minutes on two cores: `make run` trains it. Small batches at a high "
        "rate, with long gradients shortened; a discriminator that begins at full resolution; "
        "generated images with the style and the codes of the real ones that they meet, all of "
        "them at first and none at the end.",
        {
            "model.discriminator.layers": [
                {"channels": 24, "kernel": 3, "stride": 1},
                {"channels": 48},
                {"channels": 96},
                {"channels": 128, "kernel": 3, "stride": 1},
            ],
            "objective.paired_share": 1.0,
            "objective.penalties.r1": 0.8,
            "objective.penalties.r2": 0.8,
            "optim.lr": 2e-3,
            "optim.max_grad_norm": 5.0,
            "schedule.batch_size": 32,
            "schedule.images": 160_000,
            "schedule.ema_half_life": 10_000,
            "schedule.sample_interval": 10_000,
        },
    ),
    _variant(
        "stacked-mnist",
        "Three digits as three colors, 1,000 modes (Metz et al. 2017, section 3.3.1): the "
        "flagship's method without labels, style and codes. Each epoch stacks the digits in new "
        "combinations.",
        {
            "data.name": "stacked-mnist",
            "data.restack": True,
            "model.classes": 0,
            "model.style_measures": (),
            **_NO_CODES,
            "schedule.images": 2_800_000,
        },
    ),
    _variant(
        "fashion-mnist",
        "The flagship's networks on clothes, which have no slant.",
        {"data.name": "fashion-mnist", "model.style_measures": ()},
    ),
    _variant(
        "kmnist",
        "The flagship's networks on cursive Japanese characters.",
        {"data.name": "kmnist", "model.style_measures": ()},
    ),
    _variant(
        "cifar10",
        "The flagship's networks on small photographs: a start, hardly a million parameters.",
        {
            "data.name": "cifar10",
            "model.style_measures": (),
            **_NO_CODES,
            "model.latent_dim": 128,
        },
    ),
)
