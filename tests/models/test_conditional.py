"""Networks that hear a label: each way against its formula, and a step against a textbook's."""

import copy
from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from inkgan import rng
from inkgan.config import Model, Normalization, Recipe
from inkgan.config.serialize import override
from inkgan.data.batches import Batch, batches_for
from inkgan.data.dataset import Dataset, load_dataset
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.build import build_discriminator, build_generator
from inkgan.models.conditioning import ConditionalBatchNorm, Head, LatentLabelInput, embed_labels
from inkgan.models.residual import ResidualBlock
from inkgan.training.factors import cosine, penalty_scale_at
from inkgan.training.losses import LOSSES
from inkgan.training.state import new_state
from inkgan.training.step import pixel_stds, train_step

CPU, SHAPE = torch.device("cpu"), Shape(1, 12, 12)
LABELS = torch.tensor([0, 1, 2, 2, 1, 0])
NETWORKS = {
    "mlp": ("widths = [16]", "widths = [16]"),
    "dcgan": ("stem = {channels = 4}, layers = [{channels = 4}]", "layers = [{channels = 4}]"),
    "residual": ("widths = [4, 4]", "widths = [4, 4]"),
}


def model(family: str, g: str = "concat", d: str = "projection", more: str = "") -> Model:
    up, down = NETWORKS[family]
    norm = "norm = {}, " if g == "conditional-bn" else ""
    assignments = [
        "model.latent_dim=5",
        "model.classes=3",
        f'model.generator={{family = "{family}", {norm}conditioning = "{g}", {up}}}',
        f'model.discriminator={{family = "{family}", conditioning = "{d}", {down}}}',
    ]
    return override(Recipe(), [*assignments, *([more] if more else [])]).model


@pytest.mark.parametrize(
    ("family", "conditioning"),
    [*product(NETWORKS, ["concat", "multiply", "conditional-bn"])],
)
def test_every_generator_obeys_labels(family: str, conditioning: str) -> None:
    network = build_generator(model(family, g=conditioning), SHAPE, seed=3).double()
    with torch.no_grad():
        for name, table in network.named_parameters():
            # zeros at first: scales and offsets of classes, and ends of residual branches
            if "offsets" in name or "branch" in name:
                nn.init.normal_(table)
    z = torch.randn(1, 5, dtype=torch.float64).expand(6, -1)
    images = network.eval()(z, LABELS)
    same = [torch.allclose(images[i], images[j]) for i in range(6) for j in range(6)]
    assert same == [bool(a == b) for a in LABELS for b in LABELS]
    torch.testing.assert_close(images, network(z, F.one_hot(LABELS, 3).double()))
    with pytest.raises(ValueError, match="needs labels"):
        network(z, None)


@pytest.mark.parametrize(("family", "conditioning"), [*product(NETWORKS, ["concat", "projection"])])
def test_every_discriminator_hears_labels(family: str, conditioning: str) -> None:
    network = build_discriminator(model(family, d=conditioning), SHAPE, seed=3)
    images = torch.randn(1, *SHAPE).expand(6, -1, -1, -1)
    logits = network(images, LABELS).detach()
    assert logits.shape == (6,)
    same = [torch.allclose(logits[i], logits[j]) for i in range(6) for j in range(6)]
    assert same == [bool(a == b) for a in LABELS for b in LABELS]
    assert network.outputs(images, LABELS).classes is None


@pytest.mark.parametrize("family", NETWORKS)
def test_an_auxiliary_classifier_reads_the_class_and_ignores_the_label(family: str) -> None:
    more = 'model.style_measures=["slant", "width"]'
    network = build_discriminator(model(family, d="auxiliary", more=more), SHAPE, seed=0)
    images = torch.randn(6, *SHAPE)
    reading = network.outputs(images, LABELS)
    assert reading.classes is not None
    assert reading.style is not None
    assert (reading.classes.shape, reading.style.shape) == ((6, 3), (6, 2))
    assert torch.equal(reading.logits, network(images, LABELS.flip(0)))


def test_projection_is_its_formula() -> None:
    """Logit = psi(phi) + <row of y, phi>, Miyato and Koyama 2018, equation 3."""
    head, features = Head(7, "projection", 3, 0), torch.randn(6, 7)
    assert head.projection is not None
    expected = head.logit(features)[:, 0] + torch.stack(
        [features[i] @ head.projection[LABELS[i]] for i in range(6)]
    )
    torch.testing.assert_close(head(features, LABELS).logits, expected)


def test_class_norm_is_batch_norm_with_a_row_for_each_class() -> None:
    layer = ConditionalBatchNorm(4, 3, Normalization(), maps=True).double()
    nn.init.normal_(layer.scales), nn.init.normal_(layer.offsets)
    maps = torch.randn(6, 4, 5, 5, dtype=torch.float64) * 3 + 1
    mean, variance = maps.mean((0, 2, 3)), maps.var((0, 2, 3), unbiased=False)
    normed = (maps - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
    for row, y in enumerate(LABELS):
        expected = normed[row] * layer.scales[y][:, None, None] + layer.offsets[y][:, None, None]
        torch.testing.assert_close(layer(maps, LABELS)[row], expected)


@pytest.mark.parametrize("in_place", [False, True])
def test_class_norm_reads_its_inputs_once_in_evaluation(in_place: bool) -> None:
    layer = ConditionalBatchNorm(4, 3, Normalization(), maps=True, in_place=in_place).double()
    nn.init.normal_(layer.scales), nn.init.normal_(layer.offsets)
    maps = torch.randn(6, 4, 5, 5, dtype=torch.float64) * 3 + 1
    layer(maps, LABELS)  # statistics that are not those of the beginning
    layer.eval()
    scales, offsets = layer.scales[LABELS], layer.offsets[LABELS]
    expected = scales[..., None, None] * layer.norm(maps) + offsets[..., None, None]
    kept = maps.clone()
    torch.testing.assert_close(layer(maps, LABELS), expected)
    assert torch.equal(maps, kept)  # gradients may need them
    with torch.no_grad():
        written = layer(maps, LABELS)
    torch.testing.assert_close(written, expected)
    assert (written.data_ptr() == maps.data_ptr()) == in_place


@pytest.mark.parametrize("family", NETWORKS)
def test_networks_draw_the_same_with_gradients_and_without(family: str) -> None:
    """Without them norms write over their inputs, which must not be needed again."""
    network = build_generator(model(family, g="conditional-bn"), SHAPE, seed=0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # residual branches begin at zero
    z = torch.randn(6, 5)
    network(z, LABELS)
    network.eval()
    with_gradients = network(z, LABELS)
    with torch.no_grad():
        torch.testing.assert_close(network(z, LABELS), with_gradients)


def test_entrances() -> None:
    z = torch.randn(6, 5)
    joined, product_ = LatentLabelInput("concat", 5, 3), LatentLabelInput("multiply", 5, 3)
    assert torch.equal(joined(z, LABELS), torch.cat([z, F.one_hot(LABELS, 3)], dim=1))
    assert torch.equal(product_(z, LABELS), z * product_.factors[LABELS])
    assert torch.equal(LatentLabelInput("conditional-bn", 5, 3)(z, None), z)
    assert torch.equal(LatentLabelInput("concat", 5, 0)(z, None), z)


def test_weights_blend_rows() -> None:
    table = torch.randn(3, 2)
    halves = torch.tensor([[0.5, 0.5, 0.0]])
    torch.testing.assert_close(embed_labels(table, halves)[0], (table[0] + table[1]) / 2)


# --- the step ---


def conditional(d: str, *changes: str) -> Recipe:
    recipe = Recipe(model=model("mlp", d=d, more='model.style_measures=["slant"]'))
    return override(recipe, ["objective.aux_weight=0.7", "objective.style_weight=0.4", *changes])


def batch(seed: int, count: int) -> Batch:
    noise = rng.generator(seed, "real")
    images = torch.rand(count, *SHAPE, generator=noise, dtype=torch.float64) * 2 - 1
    labels = torch.randint(3, (count,), generator=noise)
    return Batch(images, labels, torch.randn(count, 1, generator=noise, dtype=torch.float64))


@pytest.mark.parametrize(("d", "updates"), [*product(["projection", "auxiliary"], [1, 3])])
def test_a_conditional_step_is_the_textbooks(d: str, updates: int) -> None:
    """Loss + 0.7 cross-entropy + 0.4 squared error of style, D `updates` times, then G once."""
    recipe = conditional(d, f"schedule.d_steps={updates}", "optim.d_lr=4e-4")
    state = new_state(recipe, SHAPE, CPU)
    state.generator.double(), state.discriminator.double()
    generator, discriminator = copy.deepcopy((state.generator, state.discriminator))
    g_adam = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999))
    d_adam = torch.optim.Adam(discriminator.parameters(), 4e-4, betas=(0.5, 0.999))
    real = batch(0, 8 * updates)
    z = torch.randn(updates + 1, 8, 5, dtype=torch.float64)
    train_step(state, recipe, real, z)

    def heads(reading: Any, y: torch.Tensor, style: torch.Tensor | None) -> Any:
        total = 0.0 if style is None else 0.4 * ((reading.style - style) ** 2).mean()
        if reading.classes is not None:
            total = total + 0.7 * nn.CrossEntropyLoss()(reading.classes, y)
        return total

    for update in range(updates):
        x, y, s = (part[8 * update : 8 * update + 8] for part in real)
        of_real = discriminator.outputs(x, y)
        of_fakes = discriminator.outputs(generator(z[update], y).detach(), y)
        value = LOSSES["non-saturating"].d(of_real.logits, of_fakes.logits).mean()
        d_adam.zero_grad()
        (value + heads(of_real, y, s) + heads(of_fakes, y, None)).backward()
        d_adam.step()
    reading = discriminator.outputs(generator(z[-1], y), y)
    g_adam.zero_grad()
    (F.softplus(-reading.logits).mean() + heads(reading, y, z[-1][:, :1])).backward()
    g_adam.step()
    for ours, theirs in ((state.generator, generator), (state.discriminator, discriminator)):
        for name, tensor in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[name], tensor, rtol=1e-9, atol=1e-12)


def test_half_precision_hardly_changes_a_step() -> None:
    """Weights stay float32, and a step's losses differ by bfloat16's 1 / 256 at most."""
    real = batch(0, 64)
    real = Batch(real.images.float(), real.labels, real.coordinates.float())
    z = torch.randn(2, 64, 5)
    rows = []
    for precision in ("float32", "bfloat16"):
        recipe = Recipe(model=model("dcgan", g="conditional-bn"))
        recipe = override(recipe, [f"optim.precision={precision}", "objective.penalties.r1=1"])
        state = new_state(recipe, SHAPE, CPU)
        rows.append(train_step(state, recipe, real, z))
        floats = [t for t in state.tensors().values() if t.is_floating_point()]
        assert {t.dtype for t in floats} == {torch.float32}
    torch.testing.assert_close(rows[0][:2], rows[1][:2], rtol=0.02, atol=0.005)
    assert not torch.equal(rows[0], rows[1])


def test_logits_are_not_rounded_to_half_precision() -> None:
    """The head computes in float32, so that logits of similar images still differ."""
    recipe = Recipe(model=model("dcgan", g="conditional-bn", d="projection"))
    discriminator = new_state(recipe, SHAPE, CPU).discriminator
    images, y = batch(0, 64).images.float(), torch.arange(64) % 3
    with torch.autocast("cpu", torch.bfloat16):
        logits = discriminator(images, y)
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, logits.bfloat16().float())
    assert len(logits.unique()) > len(logits.bfloat16().unique())


def test_one_image_a_class_has_no_spread_within_classes() -> None:
    images = torch.randn(3, 1, 4, 4)[LABELS]
    assert pixel_stds([images], LABELS, 3)[0] == 0
    assert pixel_stds([images], LABELS, 0)[0] > 0.3
    noisy = torch.randn(6000, 1, 4, 4) + 5 * images.repeat(1000, 1, 1, 1)
    assert pixel_stds([noisy], LABELS.repeat(1000), 3)[0].item() == pytest.approx(1, abs=0.01)
    torch.testing.assert_close(pixel_stds([noisy], LABELS, 0)[0], noisy.flatten(1).std(0).mean())


@pytest.mark.parametrize(("loss", "right"), [("non-saturating", 0.0), ("relativistic", 1.0)])
def test_logits_without_a_zero_are_held_against_each_other(loss: str, right: float) -> None:
    """All logits lie far below 0, and those of fakes lower still."""
    recipe = override(Recipe(model=model("mlp")), [f"objective.loss={loss}", "optim.lr=1e-9"])
    state = new_state(recipe, SHAPE, CPU)
    for network in (state.generator, state.discriminator):
        for parameter in network.parameters():
            nn.init.zeros_(parameter)
    hidden, logit = (m for m in state.discriminator.modules() if isinstance(m, nn.Linear))
    with torch.no_grad():  # one hidden unit passes the mean of the image on, times 100
        hidden.weight[0] = 100 / hidden.in_features
        hidden.bias[0] = 500
        logit.weight[0, 0] = 1
        logit.bias[0] = -5000
    real = Batch(torch.ones(8, *SHAPE), torch.zeros(8, dtype=torch.int64), torch.zeros(8, 0))
    metrics = train_step(state, recipe, real, torch.randn(2, 8, 5))
    assert metrics[2].item() == right


# --- schedules ---


def test_annealing() -> None:
    assert [cosine(share, 0.2) for share in (0, 1, 2)] == pytest.approx([1, 0.2, 0.2])
    assert cosine(0.5, 0.2) == pytest.approx(0.6)
    assert cosine(0.3, 1.0) == 1


def test_a_lazy_penalty_weighs_as_much_in_the_mean() -> None:
    penalties = override(
        Recipe(), ["objective.penalties={r1 = 1, interval = 4, final_factor = 0}"]
    ).objective.penalties
    scales = [penalty_scale_at(penalties, step, 0.0) for step in range(8)]
    assert scales == [4, None, None, None, 4, None, None, None]
    assert penalty_scale_at(penalties, 4, 0.5) == pytest.approx(2)
    assert penalty_scale_at(Recipe().objective.penalties, 0, 0.0) is None


def test_both_rates_are_annealed() -> None:
    recipe = override(Recipe(model=model("mlp")), ["optim.lr=1e-3", "optim.d_lr=4e-3"])
    state = new_state(recipe, SHAPE, CPU)
    state.lr_scale = 0.5
    state.set_learning_rates(state.scaled_rates(0.1))
    rates = [o.param_groups[0]["lr"] for o in (state.g_optimizer, state.d_optimizer)]
    assert rates == pytest.approx([5e-5, 2e-4])


# --- what cannot be ---


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("model.classes=1", "conditions on nothing"),
        ("model.generator.norm=none", "needs batch normalization"),
        ('model.style_measures=["slant", "slant"]', "names a measure twice"),
        ('model={latent_dim = 1, style_measures = ["slant"]}', "latent_dim` above 1"),
        ("data.augment=rotate:5", "would change the strokes"),
        ('model.style_measures=["weight"]', "slant"),
        ("objective.paired_share=0.5", r"this model has none: set `model\.style_measures`"),
    ],
)
def test_nonsense_is_refused(assignment: str, message: str) -> None:
    recipe = Recipe(model=model("mlp", g="conditional-bn", more='model.style_measures=["slant"]'))
    changes = ["model.style_measures=[]"] if "paired" in assignment else []
    with pytest.raises(ConfigError, match=message):
        override(recipe, [*changes, assignment])


def test_classes_must_be_those_of_the_data() -> None:
    dataset = Dataset(
        "two", torch.zeros(9, 1, 4, 4, dtype=torch.uint8), LABELS[:1].repeat(9), ("a", "b")
    )
    recipe = override(Recipe(model=model("mlp")), ["schedule.batch_size=4"])
    with pytest.raises(
        ConfigError, match=r"`model.classes=3`, but two has 2 \(.*; if these are right, use `"
    ):
        batches_for(recipe, dataset)


def test_styles_need_gray_images() -> None:
    images = torch.zeros(9, 3, 4, 4, dtype=torch.uint8)
    dataset = Dataset("paint", images, torch.arange(9) % 3, ("a", "b", "c"))
    recipe = Recipe(model=model("mlp", more='model.style_measures=["slant"]'))
    with pytest.raises(ConfigError, match="paint has"):
        batches_for(override(recipe, ["schedule.batch_size=4"]), dataset)


def test_batches_carry_the_styles_in_the_recipes_order() -> None:
    recipe = Recipe(model=model("mlp", more='model.style_measures=["width", "slant"]'))
    changes = [
        'data={name = "uci-digits", holdout = 0}',
        "model.classes=10",
        "schedule.batch_size=64",
    ]
    recipe = override(recipe, [*changes, "schedule.d_steps=2"])
    dataset = load_dataset(recipe.data)
    batches = batches_for(recipe, dataset)
    turned = batches_for(override(recipe, ['model.style_measures=["slant", "width"]']), dataset)
    first = batches.at(0)
    assert first.coordinates.shape == (128, 2)
    assert torch.equal(first.coordinates.flip(1), turned.at(0).coordinates)
    assert first.coordinates.std().item() == pytest.approx(1, abs=0.15)


def test_a_residual_block_begins_as_the_identity() -> None:
    network = build_discriminator(model("residual"), SHAPE, seed=0)
    block = next(module for module in network.modules() if isinstance(module, ResidualBlock))
    maps = torch.randn(2, 4, 12, 12)
    assert torch.equal(block(maps, None), maps)


def test_sides_that_cannot_be_halved_are_refused() -> None:
    with pytest.raises(ConfigError, match="multiple of 2"):
        build_generator(model("residual"), Shape(1, 13, 13), seed=0)
