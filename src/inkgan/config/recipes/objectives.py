"""Published objectives and kinds of conditioning, on networks of this project's size.

All that a paper fixes is as in the paper, except for the networks, which are mostly smaller; the
notes say where.
"""

from inkgan.config import (
    Convolution,
    Data,
    DcganDiscriminatorConfig,
    DcganGeneratorConfig,
    MlpDiscriminatorConfig,
    MlpGeneratorConfig,
    Model,
    Normalization,
    Objective,
    Optim,
    Penalties,
    Recipe,
    ResidualDiscriminatorConfig,
    ResidualGeneratorConfig,
    Schedule,
    Stem,
)

_MNIST = Data(name="mnist")
_UP = DcganGeneratorConfig(stem=Stem(channels=128), layers=(Convolution(channels=64),))
_CLASSES = {"classes": 10, "init": "normal"}
_PLAIN = Model(
    latent_dim=100, init="normal", generator=_UP, discriminator=DcganDiscriminatorConfig()
)

_CGAN = Recipe(
    name="cgan",
    notes="Mirza and Osindero 2014: the label beside the latent and beside the pixels. The paper "
    "reports Parzen windows and no code; widths as in vanilla, Adam for its SGD.",
    data=_MNIST,
    model=Model(
        latent_dim=100,
        classes=10,
        generator=MlpGeneratorConfig(norm=Normalization(), negative_slope=0.2),
        discriminator=MlpDiscriminatorConfig(dropout=0.3),
    ),
    optim=Optim(lr=2e-4, beta1=0.5),
    schedule=Schedule(batch_size=128, epochs=50),
)

_ACGAN = Recipe(
    name="acgan",
    notes="Odena et al. 2017: the discriminator also classifies real and generated images, and the "
    "generator is trained to be classified correctly. Its images are more typical than real ones. "
    "On dcgan's networks.",
    data=_MNIST,
    model=Model(
        latent_dim=100,
        **_CLASSES,
        generator=_UP,
        discriminator=DcganDiscriminatorConfig(conditioning="auxiliary", dropout=0.5),
    ),
    optim=Optim(lr=2e-4, beta1=0.5),
    schedule=Schedule(batch_size=100, epochs=50),
)

_LSGAN = Recipe(
    name="lsgan",
    notes="Mao et al. 2017: least squares with a=0, b=c=1, on dcgan's networks.",
    data=_MNIST,
    model=_PLAIN,
    objective=Objective(loss="least-squares"),
    optim=Optim(lr=2e-4, beta1=0.5),
    schedule=Schedule(batch_size=64, epochs=50),
)

_WGAN = Recipe(
    name="wgan",
    notes="Arjovsky et al. 2017: weights clipped to 0.01, five steps of the critic for one of the "
    "generator. Adam without momentum replaces the paper's RMSProp.",
    data=_MNIST,
    model=_PLAIN,
    objective=Objective(loss="wasserstein", weight_clip=0.01),
    optim=Optim(lr=5e-5, beta1=0.0, beta2=0.99),
    schedule=Schedule(batch_size=64, d_steps=5, epochs=50),
)

_WGAN_GP = Recipe(
    name="wgan-gp",
    notes="Gulrajani et al. 2017: lambda 10, five steps of the critic, Adam (0, 0.9) at 1e-4.",
    data=_MNIST,
    model=_PLAIN,
    objective=Objective(loss="wasserstein", penalties=Penalties(wgan_gp=10)),
    optim=Optim(lr=1e-4, beta1=0.0, beta2=0.9),
    schedule=Schedule(batch_size=64, d_steps=5, epochs=50),
)

_SNGAN_PROJECTION = Recipe(
    name="sngan-projection",
    notes="Miyato et al. 2018, Miyato and Koyama 2018: hinge loss, spectral normalization, the "
    "label in the generator's norms and as a projection; 4e-4 against 1e-4 for one step each "
    "(Heusel et al. 2017) in place of five steps.",
    data=_MNIST,
    model=Model(
        latent_dim=128,
        **_CLASSES,
        generator=_UP.model_copy(update={"conditioning": "conditional-bn"}),
        discriminator=DcganDiscriminatorConfig(
            layers=(
                Convolution(channels=64),
                Convolution(channels=128),
                Convolution(channels=128, kernel=3, stride=1),
            ),
            negative_slope=0.1,
            spectral_norm=True,
            conditioning="projection",
        ),
    ),
    objective=Objective(loss="hinge"),
    optim=Optim(lr=1e-4, d_lr=4e-4, beta1=0.0, beta2=0.9),
    schedule=Schedule(batch_size=64, epochs=50),
)

_R3GAN_SMALL = Recipe(
    name="r3gan-small",
    notes="Huang et al. 2024 at this project's size: relativistic pairing, R1 and R2 at every "
    "step with gamma 1 down to 0.1, residual blocks without normalization, linear output. Plain "
    "3x3 convolutions for the paper's grouped ones, one block a stage; the averaged generator's "
    "half-life grows to 5 % of the images seen.",
    data=_MNIST,
    model=Model(
        latent_dim=64,
        classes=10,
        generator=ResidualGeneratorConfig(),
        discriminator=ResidualDiscriminatorConfig(conditioning="projection"),
    ),
    objective=Objective(loss="relativistic", penalties=Penalties(r1=1, r2=1, final_factor=0.1)),
    optim=Optim(lr=2e-4, beta1=0.0, beta2=0.99),
    schedule=Schedule(batch_size=128, epochs=100, ema_half_life=500_000),
)

OBJECTIVES = (_CGAN, _ACGAN, _LSGAN, _WGAN, _WGAN_GP, _SNGAN_PROJECTION, _R3GAN_SMALL)
