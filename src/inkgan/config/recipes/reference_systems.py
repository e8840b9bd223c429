"""The five reference systems, each as its description has it.

`notes` say what a source leaves open, and what was chosen.
"""

from inkgan.config import (
    Augment,
    Convolution,
    Data,
    DcganDiscriminatorConfig,
    DcganGeneratorConfig,
    Kernel,
    MlpDiscriminatorConfig,
    MlpGeneratorConfig,
    Model,
    Normalization,
    Objective,
    Optim,
    Recipe,
    Schedule,
    Stem,
)

_ALL_60000 = Data(name="mnist", holdout=0)  # the five sources train on the whole training split
_KERAS_NORM = Normalization(momentum=0.01, epsilon=1e-3)  # Keras counts momentum 0.99 the other way


def _keras_up_or_down(channels: int, stride: int) -> Convolution:
    return Convolution(channels=channels, kernel=5, stride=stride, padding="same")


_MLP = Recipe(
    name="mlp",
    notes="GAN-Based MNIST Digit Generation. The source leaves widths, Adam's betas, initial "
    "weights and the order of updates open: 256, 512, 1024 up, 512, 256 down, slope 0.2, betas 0.5 "
    "and 0.999, He weights, fresh fakes for the generator's update. He weights make the "
    "difference: with torch's own the generator collapses (docs/reference-systems.md has the "
    "search). Adds: averaged generator, a grid every epoch.",
    data=_ALL_60000,
    model=Model(
        latent_dim=100,
        init="he",
        generator=MlpGeneratorConfig(),
        discriminator=MlpDiscriminatorConfig(),
    ),
    objective=Objective(loss="non-saturating"),
    optim=Optim(lr=2e-4, beta1=0.5, beta2=0.999),
    schedule=Schedule(batch_size=64, epochs=60),
)

_VANILLA = Recipe(
    name="vanilla",
    notes="Handwritten Digit Generation using GANs, its fully connected half. Open "
    "values: widths as in mlp, BatchNorm in the generator, dropout 0.3 in the discriminator "
    "(the usual division of the two), slope 0.2, batch 128. The fakes of the discriminator's "
    "update are reused for the generator's.",
    data=_ALL_60000,
    model=Model(
        latent_dim=100,
        generator=MlpGeneratorConfig(norm=Normalization(), negative_slope=0.2),
        discriminator=MlpDiscriminatorConfig(dropout=0.3),
    ),
    optim=Optim(lr=2e-4, beta1=0.5, update_scheme="reused"),
    schedule=Schedule(batch_size=128, epochs=50),
)

_DCGAN = Recipe(
    name="dcgan",
    notes="Handwritten Digits Generator - DCGAN. Open values: latent 100, 128@7 to 64@14 to 1@28 "
    "with 4x4 kernels of stride 2 (no checkerboard), its mirror image down, BatchNorm and ReLU "
    "behind the dense layer too, dropout 0.3, batch 128, weights N(0, 0.02). The fakes of the "
    "discriminator's update are reused for the generator's. The saturating loss is "
    "objective.loss=minimax.",
    data=_ALL_60000,
    model=Model(
        latent_dim=100,
        init="normal",
        generator=DcganGeneratorConfig(stem=Stem(channels=128), layers=(Convolution(channels=64),)),
        discriminator=DcganDiscriminatorConfig(dropout=0.3),
    ),
    optim=Optim(lr=2e-4, beta1=0.5, update_scheme="reused"),
    schedule=Schedule(batch_size=128, epochs=50),
)

_DCGAN_TUTORIAL = Recipe(
    name="dcgan-tutorial",
    notes="GAN for MNIST Digit Generation, the TensorFlow DCGAN tutorial's networks: TensorFlow's "
    "'same' padding, Keras' BatchNorm (momentum 0.99, epsilon 1e-3), Glorot weights and Adam's "
    "epsilon 1e-7. Both gradients come from one forward pass of one batch of fakes.",
    data=_ALL_60000,
    model=Model(
        latent_dim=100,
        init="glorot",
        generator=DcganGeneratorConfig(
            stem=Stem(channels=256, bias=False, norm_axis="features"),
            layers=(
                _keras_up_or_down(128, stride=1),
                _keras_up_or_down(64, stride=2),
            ),
            output=Kernel(kernel=5, stride=2, padding="same"),
            norm=_KERAS_NORM,
            negative_slope=0.3,
            bias=False,
        ),
        discriminator=DcganDiscriminatorConfig(
            layers=(
                _keras_up_or_down(64, stride=2),
                _keras_up_or_down(128, stride=2),
            ),
            negative_slope=0.3,
            dropout=0.3,
        ),
    ),
    optim=Optim(lr=1e-4, beta1=0.9, beta2=0.999, epsilon=1e-7, update_scheme="simultaneous"),
    schedule=Schedule(batch_size=256, epochs=50),
)

_ROTATION = Augment(rotate=20, interpolation="nearest")
_DCGAN_COMPACT = Recipe(
    name="dcgan-compact",
    notes="GANs for MNIST Handwritten Digit Synthesis. Known flaw, kept because it is the system: "
    "unpadded 3x3 stride-2 convolutions on 28 pixels never see the last row and column, where "
    "specks can grow unpunished. BatchNorm scales start at N(1, 0.02), not at the source's "
    "N(0, 0.02), and real images are in [-1, 1] like the fakes. Images are rotated by the nearest "
    "pixel, Pillow's default. The fakes of the discriminator's update are reused for the "
    "generator's.",
    data=_ALL_60000.model_copy(update={"augment": _ROTATION}),
    model=Model(
        latent_dim=64,
        init="normal",
        generator=DcganGeneratorConfig(
            stem=None,
            layers=(
                Convolution(channels=256, kernel=3, stride=2, padding=0),
                Convolution(channels=128, kernel=4, stride=1, padding=0),
                Convolution(channels=64, kernel=3, stride=2, padding=0),
            ),
            output=Kernel(kernel=4, stride=2, padding=0),
        ),
        discriminator=DcganDiscriminatorConfig(
            layers=(
                Convolution(channels=16, kernel=3, stride=2, padding=0),
                Convolution(channels=32, kernel=5, stride=2, padding=0),
                Convolution(channels=64, kernel=5, stride=2, padding=0),
            ),
            norm=Normalization(),
        ),
    ),
    optim=Optim(lr=2e-3, beta1=0.5, beta2=0.99, update_scheme="reused"),
    schedule=Schedule(batch_size=128, epochs=20),
)

REFERENCE = (_MLP, _VANILLA, _DCGAN, _DCGAN_TUTORIAL, _DCGAN_COMPACT)
