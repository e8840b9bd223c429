"""Sequences on paper: labels, determinism, presets, backgrounds of one's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkgan.errors import ArtifactError, ConfigError
from inkgan.synthesis.composition import compose
from inkgan.synthesis.glyph_pool import INK, pool_of_images
from inkgan.synthesis.paper.camera import NORMAL_LEVELS
from inkgan.synthesis.paper.paper import Paper, PaperKind, Preset
from inkgan.synthesis.paper.paper_effects import PaperEffects, effects_of
from inkgan.synthesis.paper.presets import PRESETS
from inkgan.synthesis.random_numbers import random_numbers
from inkgan.synthesis.rendered_sequence import RenderedSequence, encode, render_clean
from inkgan.synthesis.request import SynthesisRequest
from inkgan.synthesis.sequence_layout import SequenceLayout
from inkgan.synthesis.sequence_request import Sequences
from inkgan.types import Bool, Float64, UInt8
from tests.fixtures.synthesis import make, real_digits, tree

POOL = pool_of_images(real_digits(), 4, 2)
KINDS: tuple[PaperKind, ...] = ("plain", "ruled", "grid", "form")


def drawn(paper: Paper, index: int = 0) -> RenderedSequence:
    random = random_numbers(3, "places", index)
    composed = compose("20.07-41", index % 4, POOL, SequenceLayout(), random)
    return effects_of(paper)(composed, random_numbers(3, "effects", index))


def ink_mask(sequence: RenderedSequence) -> Bool:
    return sequence.composed.coverage >= INK


def darkness(image: UInt8) -> Float64:
    gray = image.mean(axis=2) if image.ndim == 3 else image.astype(np.float64)
    return 255 - gray


def test_clean_is_black_on_white() -> None:
    assert effects_of(Paper()) is render_clean


@pytest.mark.parametrize("preset", ["scan", "photo"])
@pytest.mark.parametrize("kind", KINDS)
def test_masks_lie_on_the_ink(preset: Preset, kind: PaperKind) -> None:
    """The ink in the picture agrees best with the mask where the mask is, not a pixel beside."""
    for index in range(4):
        sequence = drawn(Paper(preset, kinds=(kind,)), index)
        assert sequence.image.shape[:2] == sequence.composed.size
        mask, dark = ink_mask(sequence), darkness(sequence.image)
        assert dark[mask].mean() > dark[~mask].mean() + 25
        agreement = {
            (y, x): float(np.corrcoef(np.roll(mask, (y, x), (0, 1)).ravel(), dark.ravel())[0, 1])
            for y in (-1, 0, 1)
            for x in (-1, 0, 1)
        }
        assert max(agreement, key=lambda place: agreement[place]) == (0, 0)


def test_without_paper_and_noise_the_ink_is_the_mask() -> None:
    """White paper and black ink under geometry alone: the dark pixels are exactly the masks."""
    nothing = PRESETS["photo"].scaled(0)
    effects = PaperEffects(replace(nothing, roll=5, turn=25), ("plain",))
    composed = compose("20.07-41", 1, POOL, SequenceLayout(), random_numbers(3, "places"))
    for index in range(5):
        sequence = effects(composed, random_numbers(index, "effects"))
        coverage = sequence.composed.coverage
        paper = darkness(sequence.image)[coverage == 0]
        ink = darkness(sequence.image)[coverage >= INK]
        assert paper.max() < ink.min()


@pytest.mark.parametrize("preset", ["scan", "photo"])
def test_a_picture_is_a_function_of_its_address(preset: Preset) -> None:
    paper = Paper(preset)
    for index in range(6):
        assert np.array_equal(drawn(paper, index).image, drawn(paper, index).image)
    pictures = {drawn(paper, index).image.tobytes() for index in range(6)}
    assert len(pictures) == 6


def test_presets_have_their_channels() -> None:
    assert drawn(Paper("scan")).image.ndim == 2
    assert drawn(Paper("photo")).image.shape[2] == 3


def test_strength_grows() -> None:
    """Stronger effects leave less of the clean ink in the picture."""

    def contrast(strength: float) -> float:
        found = []
        for index in range(12):
            sequence = drawn(Paper("photo", strength, kinds=("plain",)), index)
            mask, dark = ink_mask(sequence), darkness(sequence.image)
            found.append(np.corrcoef(mask.ravel(), dark.ravel())[0, 1])
        return float(np.mean(found))

    least, usual, most = contrast(0), contrast(1), contrast(2)
    assert least > usual > most
    assert drawn(Paper("scan", 0)).composed.size[0] >= 48


def test_every_effect_has_a_largest_value() -> None:
    strongest = PRESETS["photo"].scaled(2)
    assert strongest.jpeg == 10
    assert strongest.fading <= 0.7
    assert strongest.roll == 8
    assert PRESETS["scan"].scaled(1) == PRESETS["scan"]
    assert PRESETS["scan"].scaled(0).jpeg == 95


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two backgrounds: a large red one, and a dark one smaller than a sequence."""
    red = np.full((600, 900, 3), (200, 120, 120), np.uint8)
    Image.fromarray(red).save(tmp_path / "red.jpg")
    Image.fromarray(np.full((30, 40), 20, np.uint8)).save(tmp_path / "dark.png")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_backgrounds_of_ones_own(folder: Path) -> None:
    """Both are used; ink is darker than light paper, and lighter than dark paper."""
    light = []
    for index in range(10):
        sequence = drawn(Paper("photo", 0, backgrounds=folder), index)
        mask = ink_mask(sequence)
        around = sequence.image[~mask].mean(axis=0)
        inside = darkness(sequence.image)[mask].mean()
        is_light = bool(around.mean() > 100)
        light.append(is_light)
        assert (inside > darkness(sequence.image)[~mask].mean()) == is_light
        if is_light:
            assert around[0] > around[1] + 50
    assert 1 <= sum(light) <= 9


def test_backgrounds_are_named_by_their_bytes(folder: Path, tmp_path: Path) -> None:
    before = Paper("scan", backgrounds=folder).as_json()
    assert before["backgrounds"]["count"] == 2
    Image.fromarray(np.full((30, 40), 21, np.uint8)).save(folder / "dark.png")
    assert Paper("scan", backgrounds=folder).as_json() != before


def test_levels_of_noise_are_those_of_a_normal_distribution() -> None:
    """Variance 1, and the shares beyond one and two deviations: 31.7 and 4.6 %."""
    assert NORMAL_LEVELS.std() == pytest.approx(1, abs=1e-6)
    assert np.mean(np.abs(NORMAL_LEVELS) > 1) == pytest.approx(0.317, abs=0.01)
    assert np.mean(np.abs(NORMAL_LEVELS) > 2) == pytest.approx(0.0455, abs=0.01)


def test_impossible_papers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`paper` must be clean, scan or photo, not 'foto'"):
        Paper("foto").check()  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="`paper_strength` must be from 0 to 2, not 3"):
        Paper("photo", 3).check()
    with pytest.raises(ConfigError, match="`backgrounds` needs `paper='scan'`"):
        Paper(backgrounds=tmp_path).check()
    with pytest.raises(ConfigError, match="`paper_strength` needs `paper='scan'`"):
        Paper(strength=0.5).check()
    with pytest.raises(ConfigError, match="is not a folder"):
        Paper("scan", backgrounds=tmp_path / "missing").check()
    with pytest.raises(ConfigError, match="has no images"):
        Paper("scan", backgrounds=tmp_path).check()
    with pytest.raises(
        ConfigError, match=r"`paper_kinds` must name one or more of .*, not 'lined'"
    ):
        Paper("scan", kinds=("lined",)).check()  # type: ignore[arg-type]
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(ArtifactError, match=r"broken\.png cannot be read"):
        Paper("scan", backgrounds=tmp_path).check()


def test_a_data_set_on_paper(tmp_path: Path) -> None:
    """Made twice with the same bytes; the space that was asked for is enough."""
    content = Sequences(6, writers=2, format="coco", paper=Paper("photo")).resolved()
    request = SynthesisRequest(content, seed=1)
    made = make(tmp_path / "a", request)
    assert made.manifest["request"]["content"]["paper"]["preset"] == "photo"
    assert "Paper: photo of strength 1; plain, ruled" in (made.path / "README.md").read_text()
    assert tree(made.path) == tree(make(tmp_path / "b", request).path)
    pictures = list((made.path / "images").rglob("*.jpg"))
    assert len(pictures) == 6
    for picture in pictures:
        with Image.open(picture) as opened:
            assert opened.mode == "RGB"


def test_pictures_stay_below_the_space_that_is_kept_for_them() -> None:
    presets: tuple[Preset, ...] = ("scan", "photo")
    for preset in presets:
        paper = Paper(preset, 2, kinds=("form",))
        for index in range(8):
            sequence = drawn(paper, index)
            numbers = np.zeros((10, POOL.num_variants), np.int64)
            made = encode(sequence, ("train", 0), ("0", numbers), polygons=False, file="png")
            assert len(made.image) < paper.most_bytes(48, 8 * (48 + 8 * 48 / 28) + 96)
