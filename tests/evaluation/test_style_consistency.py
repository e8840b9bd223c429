"""Style consistency: generators that have it, that have none, and what the report says of it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import inkgan
from inkgan.cli.evaluate_command import consistency_table
from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.errors import ConfigError
from inkgan.evaluation import generator_sources, sources
from inkgan.evaluation.evaluate import PROTOCOLS
from inkgan.evaluation.generator_style import generator_style_consistency
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.report_document import Report
from inkgan.evaluation.results import Protocol
from inkgan.generation.arguments import Labels
from inkgan.generation.generator import Generator
from inkgan.images import Shape
from inkgan.io.bundle import Bundle
from inkgan.metrics.style_consistency import STYLES, measure_style_consistency
from inkgan.models.build import build_generator
from inkgan.types import Float32, UInt8, silent
from tests.fixtures.references import as_npz, small_reference
from tests.fixtures.strokes import bar

LATENTS = 24
CONDITIONAL = override(get_recipe("mlp"), ["model.classes=10", "name=hand"])
Draw = Callable[[np.ndarray, int], UInt8]


def bundle_of(recipe: Recipe, shape: Shape = Shape(1, 28, 28)) -> Bundle:  # noqa: B008
    network = build_generator(recipe.model, shape, seed=0)
    return Bundle(recipe, shape, tuple("0123456789"), network.state_dict(), 0, "0" * 64)


class Writer(Generator):
    """Draws the bar that a function makes of a latent and a label."""

    def __init__(self, drawing: Draw) -> None:
        super().__init__(bundle_of(CONDITIONAL))
        self.drawing = drawing

    def render(self, latents: Float32, labels: Labels | Float32 | None = None) -> UInt8:
        assert isinstance(labels, list)
        return np.stack([self.drawing(*pair) for pair in zip(latents, labels, strict=True)])


def own_hand(z: np.ndarray, label: int) -> UInt8:
    """Lean and press as the latent says; each digit has a slant and a height of its own."""
    return bar(8 * np.clip(z[0], -2, 2) + label, 3 + np.clip(z[1], -1, 1), 10 + label)


def no_hand(z: np.ndarray, label: int) -> UInt8:
    """Lean and press as each digit likes."""
    return bar(8 * np.clip(z[2 * label], -2, 2), 3 + np.clip(z[2 * label + 1], -1, 1), 10 + label)


def test_digits_that_share_slant_and_thickness() -> None:
    told: list[tuple[str, int, int]] = []
    hand = generator_style_consistency(Writer(own_hand), LATENTS, lambda *step: told.append(step))
    assert (hand.latents, hand.blank) == (LATENTS, 0)
    for style in ("slant", "thickness"):
        shared = hand.styles[style]
        assert shared.consistency.low > 0.9
        assert shared.one_way.value < shared.consistency.value
        assert abs(shared.permuted.value) < 0.2
        assert shared.consistency.low < shared.consistency.value < shared.consistency.high
    assert hand.styles["height"].one_way.value < 0.1  # that belongs to the digit, not the latent
    assert hand.examples.shape == (10, 10, 28, 28)
    assert (hand.examples[3, 7] == Writer(own_hand).sample([7], seeds=[2_000_003])[0]).all()
    assert {what for what, _, _ in told} == {
        "drawing each latent as every digit",
        "measuring strokes",
    }


def test_digits_that_share_nothing() -> None:
    for style in ("slant", "thickness"):
        shared = generator_style_consistency(Writer(no_hand), LATENTS).styles[style]
        assert shared.consistency.low < 0.1 < shared.consistency.high + 0.1
        assert abs(shared.consistency.value) < 0.2


def test_blank_images_are_counted_and_left_out() -> None:
    images = np.stack([[own_hand(np.array([z, z]), d) for d in range(3)] for z in (-1, 0, 1, 0.5)])
    whole = measure_style_consistency(images)
    with_blank = np.concatenate([images, images[:1]])
    with_blank[4, 1] = 0
    found = measure_style_consistency(with_blank)
    assert (found.latents, found.blank) == (5, 1)
    assert found.styles == whole.styles
    found = measure_style_consistency(with_blank[3:])
    assert found.blank == 1
    assert np.isnan(found.styles["slant"].consistency).all()
    assert found.to_dict()["styles"]["slant"]["consistency"]["value"] is None


def test_a_generator_that_ignores_its_latent_has_nothing_to_share() -> None:
    hand = measure_style_consistency(np.stack([[own_hand(np.zeros(2), d) for d in range(10)]] * 3))
    assert all(np.isnan(hand.styles[style].consistency).all() for style in STYLES)
    shown = render(consistency_table(hand.to_dict()))
    assert shown.count("- to -") == 4


def test_bad_input_is_refused() -> None:
    plain = Generator(bundle_of(get_recipe("mlp")))
    with pytest.raises(ConfigError, match=r"mlp is unconditional.*`model\.classes`"):
        generator_style_consistency(plain)
    with pytest.raises(ConfigError, match="`latents` must be 2 or more, not 1"):
        generator_style_consistency(Writer(own_hand), 1)
    colour = Generator(bundle_of(CONDITIONAL, Shape(3, 28, 28)))
    with pytest.raises(ConfigError, match="draws 28x28 RGB images"):
        generator_style_consistency(colour)
    with pytest.raises(ValueError, match=r"got uint8 \(4, 28, 28\)"):
        measure_style_consistency(np.zeros((4, 28, 28), np.uint8))
    with pytest.raises(ValueError, match=r"got uint8 \(4, 1, 28, 28\)"):
        measure_style_consistency(np.zeros((4, 1, 28, 28), np.uint8))


# --- labels that are asked for ---


@pytest.mark.parametrize(("count", "set_size"), [(500, 100), (250, 100), (90, 100), (30, 7)])
def test_every_set_is_asked_for_the_shares_of_the_reference(count: int, set_size: int) -> None:
    reference = small_reference()
    labels = reference.labels_to_request(count, set_size)
    assert labels.shape == (count,)
    shares = np.bincount(reference.test_labels, minlength=10) / len(reference.test_labels)
    for start in range(0, count, set_size):
        part = labels[start : start + set_size]
        found = np.bincount(part, minlength=10)
        assert np.abs(found - shares * len(part)).max() < 1
        assert len(part) < 50 or np.any(np.diff(part) < 0)  # mixed, not sorted


def test_as_many_as_the_reference_are_its_own_labels() -> None:
    reference = small_reference()
    size = len(reference.test_labels)
    labels = reference.labels_to_request(2 * size, 10 * size)
    for part in (labels[:size], labels[size:]):
        assert (np.bincount(part) == np.bincount(reference.test_labels)).all()
    assert (labels[:size] != labels[size:]).any()
    assert (labels == reference.labels_to_request(2 * size, 10 * size)).all()


# --- in an evaluation ---

SMALL = Protocol("quick", images=400, set_size=400)  # baselines of 400 serve other tests too


@pytest.fixture
def evaluated(
    tmp_path: Path, keeps_baselines: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Report]:
    monkeypatch.setitem(PROTOCOLS, "quick", SMALL)
    monkeypatch.setattr("inkgan.evaluation.generator_style.STYLE_LATENTS", LATENTS)
    reference = as_npz(tmp_path / "reference.npz", small_reference())
    return partial(
        inkgan.evaluate, protocol="quick", out=tmp_path / "report", reference=f"npz:{reference}"
    )


def test_a_conditional_generator_is_evaluated_by_its_labels_and_its_hand(
    evaluated: Callable[..., Report], tmp_path: Path
) -> None:
    bundle_of(CONDITIONAL).save(tmp_path / "hand.safetensors")
    report = evaluated(tmp_path / "hand.safetensors")
    document = report.document
    assert "label_accuracy" in {row["key"] for row in document["scores"]}
    assert "requested" in document["facts"]["labels"]
    assert not any("No labels were given" in note for note in document["notes"])
    asked = np.array(document["confusion"]).sum(axis=1)
    labels = small_reference().test_labels
    assert np.allclose(asked, np.bincount(labels) / len(labels), atol=1 / SMALL.images)
    assert document["style_consistency"]["latents"] == LATENTS
    assert set(document["style_consistency"]["styles"]) == set(STYLES)
    page = report.page_path.read_text(encoding="utf-8")
    section = page.split("<h2>Style consistency</h2>")[1].split("<h2>")[0]
    assert "data:image/png" in section
    value = document["style_consistency"]["styles"]["slant"]["consistency"]["value"]
    assert f"{abs(value):.2f}" in section


def test_an_unconditional_generator_has_no_hand(
    evaluated: Callable[..., Report], tmp_path: Path
) -> None:
    bundle_of(get_recipe("mlp")).save(tmp_path / "plain.safetensors")
    report = evaluated(tmp_path / "plain.safetensors")
    assert report.document["style_consistency"] is None
    assert "<h2>Style consistency</h2>" not in report.page_path.read_text(encoding="utf-8")


def test_labels_that_are_no_digits_are_not_requested(tmp_path: Path) -> None:
    letters = replace(bundle_of(CONDITIONAL), classes=tuple("abcdefghij"))
    letters.save(tmp_path / "letters.safetensors")
    source = sources.open_images(tmp_path / "letters.safetensors")
    assert source.generator is None
    assert "labels" not in source.facts
    assert source.draw(SMALL, small_reference(), silent).images.requested is None


def test_labels_reach_the_generator_in_the_order_of_the_seeds(tmp_path: Path) -> None:
    bundle_of(CONDITIONAL).save(tmp_path / "hand.safetensors")
    source = sources.open_images(tmp_path / "hand.safetensors")
    reference: ReferenceImages = small_reference()
    drawn = source.draw(SMALL, reference, silent).images
    assert drawn.requested is not None
    expected = Generator(bundle_of(CONDITIONAL)).sample(
        labels=drawn.requested.tolist(),
        seeds=range(generator_sources.FIRST_SEED, generator_sources.FIRST_SEED + 400),
    )
    assert (drawn.pixels == expected).all()


def render(table: Any) -> str:
    console = Console(width=60)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_the_table_fits_sixty_columns_and_tells_of_blank_images() -> None:
    hand = replace(generator_style_consistency(Writer(own_hand), LATENTS), blank=3)
    shown = render(consistency_table(hand.to_dict()))
    assert "Style consistency: 24 latents, drawn as every digit" in shown
    assert "3 latents with a blank image were left out" in shown
    assert f"{hand.styles['slant'].consistency.value:.2f}" in shown
    assert "…" not in shown
