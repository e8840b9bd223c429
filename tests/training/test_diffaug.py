"""Differentiable augmentation and bCR: closed forms, finite differences, and what D gets to see."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from inkgan.config import Recipe
from inkgan.config.serialize import from_toml, override, to_toml
from inkgan.data.batches import Batch
from inkgan.errors import ConfigError
from inkgan.images import BACKGROUND
from inkgan.training.diffaug import AUGMENTATIONS, apply_augmentations, shift
from inkgan.training.penalties import SHIFT, inconsistency
from inkgan.training.state import TrainState
from inkgan.training.step import train_step
from tests.fixtures.training import prepare

LABELS = torch.zeros(64, dtype=torch.int64)


def noise(count: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(count, *shape, dtype=torch.float64, generator=generator) * 2 - 1


def rolled(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """Shift one image (C, H, W) by whole pixels, by numpy alone."""
    height, width = image.shape[1:]
    canvas = np.full((image.shape[0], 3 * height, 3 * width), BACKGROUND)
    canvas[:, height : 2 * height, width : 2 * width] = image
    return canvas[:, height - down : 2 * height - down, width - right : 2 * width - right]


# --- the transformations ---


def test_a_shift_is_one_of_all_whole_shifts() -> None:
    """Each image is itself, moved; all 3 x 5 shifts come, about equally often, and none further."""
    torch.manual_seed(0)
    image = noise(1, 2, 5, 6)
    found = shift(image.expand(3000, -1, -1, -1), down=1, right=2)
    shifts = list(itertools.product(range(-1, 2), range(-2, 3)))
    counts = []
    for down, right in shifts:
        expected = torch.from_numpy(rolled(image[0].numpy(), down, right))
        counts.append(int((found == expected).flatten(1).all(dim=1).sum()))
    assert sum(counts) == 3000
    assert min(counts) > 140  # 200 of each are expected, sd 14
    assert max(counts) < 260


def test_translation_goes_an_eighth_of_the_side() -> None:
    """One pixel of ink in 28 x 20 comes to lie in 9 x 7 places: 28 / 8 rounds to 4, 20 / 8 to 3."""
    torch.manual_seed(0)
    dot = torch.full((4000, 1, 28, 20), BACKGROUND)
    dot[:, :, 14, 10] = 1.0
    _, _, rows, columns = AUGMENTATIONS["translation"](dot).eq(1.0).nonzero(as_tuple=True)
    assert len(rows) == 4000
    assert sorted(set(rows.tolist())) == list(range(10, 19))
    assert sorted(set(columns.tolist())) == list(range(7, 14))


@pytest.mark.parametrize("side", [8, 9, 10])
def test_cutout_leaves_a_rectangular_hole(side: int) -> None:
    """A hole of half the side with its middle in the image, cut off at the borders."""
    torch.manual_seed(0)
    image = torch.ones(2000, 1, side, side)
    holes = AUGMENTATIONS["cutout"](image)[:, 0] == BACKGROUND
    height, width = holes.any(dim=2).sum(dim=1), holes.any(dim=1).sum(dim=1)
    assert torch.equal(holes.flatten(1).sum(dim=1), height * width)  # all of rows x columns
    whole = int(side / 2 + 0.5)
    assert height.max() == width.max() == whole
    assert height.min() == width.min() == (whole + 1) // 2
    assert holes.any(dim=0).all()  # no pixel is safe
    assert holes.float().mean() > 0.15
    assert not torch.equal(holes[0], holes[1])


def test_colour_of_a_gray_image_is_affine() -> None:
    """Contrast keeps the mean, brightness moves it, and saturation knows no gray."""
    torch.manual_seed(0)
    image = noise(1, 1, 4, 4)
    found = AUGMENTATIONS["color"](image.expand(2000, -1, -1, -1))
    moved = found.mean(dim=(1, 2, 3)) - image.mean()
    factor = found.std(dim=(1, 2, 3)) / image.std()
    shift, stretch = moved[:, None, None, None], factor[:, None, None, None]
    torch.testing.assert_close(found, image.mean() + shift + stretch * (image - image.mean()))
    for values, low, high in ((moved, -0.5, 0.5), (factor, 0.5, 1.5)):
        assert low <= values.min() < low + 0.02
        assert high - 0.02 < values.max() <= high


def test_saturation_spreads_the_channels_of_a_pixel() -> None:
    torch.manual_seed(0)
    image = noise(1, 3, 4, 4)
    found = AUGMENTATIONS["color"](image.expand(2000, -1, -1, -1))

    def chroma(images: torch.Tensor) -> torch.Tensor:
        return images - images.mean(dim=1, keepdim=True)

    factor = chroma(found).flatten(1).norm(dim=1) / chroma(image).norm()
    torch.testing.assert_close(chroma(found), factor[:, None, None, None] * chroma(image))
    assert factor.min() < 0.02  # contrast times saturation, from 0 to 3
    assert 2 < factor.max() <= 3


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_agree_with_finite_differences(name: str, channels: int) -> None:
    images = noise(3, channels, 5, 4).requires_grad_()

    def seeded(values: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(1)
        return AUGMENTATIONS[name](values)

    assert torch.autograd.gradcheck(seeded, images)
    assert torch.autograd.gradgradcheck(seeded, images)


def test_names_are_applied_in_turn_and_none_is_nothing() -> None:
    images = noise(8, 1, 12, 12)
    before = torch.get_rng_state()
    assert apply_augmentations(images, ()) is images
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    found = apply_augmentations(images, ("cutout", "color"))
    torch.manual_seed(5)
    holes = AUGMENTATIONS["cutout"](images)
    assert torch.equal(found, AUGMENTATIONS["color"](holes))


# --- consistency ---


class Reading(nn.Module):
    """D(x) = w.x over the pixels."""

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.weights = weights

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return (images * self.weights).sum(dim=(1, 2, 3))


def test_inconsistency_of_a_linear_critic() -> None:
    """One dot of ink: D(T(x)) - D(x) is twice the difference of two weights, known ones."""
    torch.manual_seed(0)
    weights = torch.arange(49.0, dtype=torch.float64).view(1, 7, 7)
    dot = torch.full((2000, 1, 7, 7), BACKGROUND, dtype=torch.float64)
    dot[:, :, 3, 3] = 1.0
    critic = Reading(weights)
    found = inconsistency(critic, dot, LABELS, critic(dot, LABELS))
    steps = range(-SHIFT, SHIFT + 1)
    expected = {(2.0 * (7 * down + right)) ** 2 for down in steps for right in steps}
    assert set(found.tolist()) == expected


def test_inconsistency_is_nothing_where_a_critic_is_blind_to_shifts() -> None:
    torch.manual_seed(0)
    inside = torch.nn.functional.pad(noise(16, 1, 4, 4), (2, 2, 2, 2), value=BACKGROUND)
    critic = Reading(torch.ones(1, 8, 8, dtype=torch.float64))
    found = inconsistency(critic, inside, LABELS, critic(inside, LABELS))
    torch.testing.assert_close(found, torch.zeros(16, dtype=torch.float64))


def test_inconsistency_is_differentiable_in_both_logits() -> None:
    weights = noise(1, 1, 6, 6)[0].requires_grad_()
    images = noise(4, 1, 6, 6)

    def total(values: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(1)
        critic = Reading(values)
        return inconsistency(critic, images, LABELS, critic(images, LABELS))

    assert torch.autograd.gradcheck(total, weights)


# --- in training ---


def begin(recipe: Recipe) -> tuple[TrainState, Batch]:
    batches, state = prepare(recipe)
    return state, batches.at(0)


def step(state: TrainState, recipe: Recipe, real: Batch) -> torch.Tensor:
    torch.manual_seed(state.step)
    latents = torch.randn(2, 64, recipe.model.latent_dim)
    return train_step(state, recipe, real, latents)


Glances = Callable[[Recipe], list[torch.Tensor]]


@pytest.fixture
def glances() -> Glances:
    """Give a function that lists the batches which D is shown in one step of training."""

    def watch(recipe: Recipe) -> list[torch.Tensor]:
        state, real = begin(recipe)
        real = real._replace(images=real.images.clamp(min=-0.9))  # no pixel is background
        seen: list[torch.Tensor] = []
        first = next(m for m in state.discriminator.modules() if isinstance(m, nn.Conv2d))
        first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        step(state, recipe, real)
        return seen

    return watch


@pytest.mark.parametrize("loss", ["non-saturating", "relativistic"])
def test_all_that_the_discriminator_sees_is_apply_augmentations(
    tiny: Recipe, glances: Glances, loss: str
) -> None:
    """Reals and fakes, in both players' steps, under a penalty too: each has its hole."""
    changes = [f"objective.loss={loss}", "objective.penalties.r1=1", "objective.penalties.r2=1"]
    plain = override(tiny, [*changes, "data.augment.rotate=0"])
    for recipe, holed in ((plain, False), (override(plain, ["objective.augment=cutout"]), True)):
        seen = glances(recipe)
        # D: both at once, then each under its penalty; G: fakes, and reals if its loss reads them
        assert [len(images) for images in seen] == [128, 64, 64, *[64] * (1 + (loss[0] == "r"))]
        for images in seen:
            holes = (images == BACKGROUND).flatten(1).sum(dim=1)
            assert bool((holes >= 9).all() if holed else (holes == 0).all())


def test_the_generator_learns_through_the_transformation(tiny: Recipe) -> None:
    for names in ((), ("translation", "cutout", "color")):
        recipe = override(tiny, [f"objective.augment={list(names)}"])
        state, real = begin(recipe)
        before = [parameter.detach().clone() for parameter in state.generator.parameters()]
        metrics = step(state, recipe, real)
        assert metrics.isfinite().all()
        after = state.generator.parameters()
        assert all(not torch.equal(a, b) for a, b in zip(after, before, strict=True))


def test_no_transformation_draws_no_random_number(tiny: Recipe) -> None:
    """A run without augmentation is the same to the bit as before there was any."""
    recipe = override(tiny, ["model.discriminator.dropout=0"])
    state, real = begin(recipe)
    before = torch.get_rng_state()
    train_step(state, recipe, real, torch.zeros(2, 64, 8))
    assert torch.equal(torch.get_rng_state(), before)


def test_consistency_makes_logits_indifferent_to_shifts(tiny: Recipe) -> None:
    """After a hundred steps D's logits move less under a shift than without the penalty."""
    moved = {}
    for weight in (0, 10):
        changes = [f"objective.consistency={weight}", "model.discriminator.dropout=0"]
        recipe = override(tiny, [*changes, "optim.lr=1e-3"])
        state, real = begin(recipe)
        for _ in range(100):
            step(state, recipe, real)
        torch.manual_seed(0)
        with torch.no_grad():
            logits = state.discriminator(real.images, real.labels)
            unlike = inconsistency(state.discriminator, real.images, real.labels, logits)
        moved[weight] = float(unlike.mean() / logits.var())
    assert moved[10] < 0.5 * moved[0]


# --- in a recipe ---


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("objective.augment=cutuot", "'cutuot' is unknown; did you mean 'cutout'"),
        ('objective.augment=["cutout", "rotate"]', "`objective.augment.1` = 'rotate' is unknown"),
        ("objective.augment=cutout,cutout", "list none of them twice"),
        ("objective.consistency=-1", "greater than or equal to 0"),
    ],
)
def test_nonsense_is_refused_with_the_reason(tiny: Recipe, change: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        override(tiny, [change])


def test_consistency_and_batch_normalisation_are_refused(tiny: Recipe) -> None:
    with pytest.raises(ConfigError, match=r"other images: use `model\.discriminator\.norm=none"):
        override(tiny, ["objective.consistency=10", "model.discriminator.norm={}"])


def test_augment_has_a_short_form_and_survives_text(tiny: Recipe) -> None:
    recipe = override(tiny, ["objective.augment=translation, cutout"])
    assert recipe.objective.augment == ("translation", "cutout")
    assert from_toml(to_toml(recipe)) == recipe
    assert override(recipe, ["objective.augment=[]"]).objective.augment == ()
