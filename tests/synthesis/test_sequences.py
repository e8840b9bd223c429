"""Data sets of sequences: texts, writers, splits and records."""

import csv
import json
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from inkgan.errors import ConfigError, DataError
from inkgan.handwriting.writer import LATENT_STEP, Writer
from inkgan.images import Shape, read_picture
from inkgan.synthesis import encoded_store, pool_store
from inkgan.synthesis.composition import HEIGHT_SHARE
from inkgan.synthesis.glyph_pool import INK, PEN_DIGITS, GlyphPool, pool_of_images
from inkgan.synthesis.pool_store import draw_pool
from inkgan.synthesis.request import Criteria, SynthesisRequest
from inkgan.synthesis.sequence_composer import SequenceComposer
from inkgan.synthesis.sequence_layout import SequenceLayout
from inkgan.synthesis.sequence_plan import SequencePlan
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.synth import synthesize
from inkgan.synthesis.synthesis_result import SynthesisResult
from inkgan.synthesis.writer_set import choose_writers, spread_choice
from inkgan.types import UInt8
from tests.fixtures.synthesis import ORIGIN, HandGenerator, Unconditional, make, real_digits, tree

CONTENT = Sequences(
    30, 5, 7, pattern=("[0-9]{2,5}", "date:%d.%m.%Y"), writers=12, format="paddleocr"
).resolved()
REQUEST = SynthesisRequest(CONTENT, seed=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SynthesisResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded_store, "SEQUENCES_PER_SHARD", 7)
        patch.setattr(pool_store, "GLYPHS_PER_BLOCK", 100)
        return make(tmp_path_factory.mktemp("sequences") / "a", REQUEST)


def rows(made: SynthesisResult) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (made.path / "manifest.jsonl").read_text().splitlines()]


def test_counts_and_splits(made: SynthesisResult) -> None:
    counts = Counter(row["split"] for row in rows(made))
    assert counts == {"train": 30, "validation": 5, "test": 7}
    assert made.manifest["images"] == 42
    digits = made.manifest["measured"]["digits"]
    for split in counts:
        texts = "".join(row["text"] for row in rows(made) if row["split"] == split)
        assert digits[split] == {digit: texts.count(digit) for digit in "0123456789"}
        assert made.manifest["measured"]["marks"][split].get(".", 0) == texts.count(".")


def test_writers_write_equally_often_and_in_one_split(made: SynthesisResult) -> None:
    with (made.path / "writers.csv").open(newline="") as stream:
        split_of = {row["writer"]: row["split"] for row in csv.DictReader(stream)}
    found = Counter((row["split"], row["writer"]) for row in rows(made))
    assert all(split_of[writer] == split for split, writer in found)
    assert len(split_of) == 12
    for split in ("train", "validation", "test"):
        each = [found[split, name] for name, of in split_of.items() if of == split]
        assert max(each) - min(each) <= 1


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
def test_masks_are_the_ink(made: SynthesisResult) -> None:
    """Decoded by pycocotools; together they are the dark pixels of the picture."""
    for row in rows(made)[:12]:
        picture = read_picture(made.path / row["file"])
        assert list(picture.shape) == row["size"]
        together = np.zeros(picture.shape, np.bool_)
        for one in row["characters"]:
            encoded = {"size": row["size"], "counts": one["mask"].encode()}
            mask = coco_mask.decode(encoded).astype(bool)
            assert mask.sum() == one["area"] == coco_mask.area(encoded)
            assert coco_mask.toBbox(encoded).tolist() == one["box"]
            together |= mask
        assert np.array_equal(together, 255 - picture >= INK)


def test_a_sequence_is_a_function_of_its_place(made: SynthesisResult) -> None:
    """Without the rest of the data set: the same picture, text and writer."""
    generator = HandGenerator()
    writers = choose_writers(generator, CONTENT, Criteria(), seed=1)
    drawn = draw_pool(None, generator, REQUEST, writers, CONTENT.num_variants())  # all digits
    composer = SequenceComposer(SequencePlan(CONTENT, writers.splits, seed=1), drawn.pool)
    for row in rows(made):
        rendered = composer.render(row["split"], row["index"])
        assert rendered.composed.text == row["text"]
        assert writers.names[rendered.composed.writer] == row["writer"]
        assert np.array_equal(rendered.image, read_picture(made.path / row["file"]))


def test_shards_change_nothing(made: SynthesisResult, tmp_path: Path) -> None:
    assert tree(make(tmp_path / "a", REQUEST).path) == tree(made.path)
    other = make(tmp_path / "b", SynthesisRequest(CONTENT, seed=2))
    texts = [{row["text"] for row in rows(one)} for one in (made, other)]
    assert texts[0] != texts[1]
    assert not {row["writer"] for row in rows(made)} & {row["writer"] for row in rows(other)}


def test_memory_does_not_grow_with_the_number_of_sequences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The most at a time while sequences are composed and written, with as many digits drawn."""
    monkeypatch.setattr(encoded_store, "SEQUENCES_PER_SHARD", 20)
    monkeypatch.setattr(Sequences, "num_variants", lambda _: 4)

    def peak(count: int) -> int:
        def forget_drawing(what: str, done: int, total: int) -> None:
            if what == "composing" and not done:
                tracemalloc.reset_peak()

        request = SynthesisRequest(Sequences(count, writers=3, format="lmdb").resolved())
        tracemalloc.start()
        try:
            synthesize(
                tmp_path / f"{count}", HandGenerator(), request, ORIGIN, False, forget_drawing, 1
            )
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(40)  # loads modules, and fills what is kept between calls
    few, many = peak(100), peak(400)
    assert many < 1.1 * few, (few, many)


def test_digits_are_those_of_write() -> None:
    """The pool's digits have the latents of `inkgan.write` with the writer's name as `hand`."""
    generator = HandGenerator()
    writers = choose_writers(generator, CONTENT, Criteria(), seed=1)
    for number in (0, 3):
        row = np.array([2])
        ours = writers.latents(row, 7, number)[0]
        theirs = Writer(generator, int(writers.names[2])).place("7", number, LATENT_STEP)
        assert np.array_equal(ours, theirs)


def test_given_texts_are_used_equally_often(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("\ufeff12.50\r\n007\n\n 3-1 \n")
    content = Sequences(7, test=2, texts=path, writers=4, format="paddleocr").resolved()
    made = make(tmp_path / "a", SynthesisRequest(content))
    counts = Counter(row["text"] for row in rows(made))
    assert counts == {"12.50": 3, "007": 3, "3-1": 3}
    assert Sequences(texts=path).resolved().splits() == {"train": 3}
    assert Sequences(texts=["1", "2", "3"], test=1).resolved().splits() == {"train": 2, "test": 1}


def test_lengths_follow_their_weights() -> None:
    content = Sequences(600, length={2: 1, 5: 3}).resolved()
    plan = SequencePlan(content, {"train": (0, 1)}, seed=0)
    lengths = Counter(len(plan.text("train", index)) for index in range(600))
    assert set(lengths) == {2, 5}
    assert abs(lengths[5] - 450) < 4 * (600 * 0.25 * 0.75) ** 0.5


def test_writers_are_spread_over_both_styles() -> None:
    """A quarter of the writers in each quarter of both styles: exactly, where chance varies."""
    random = np.random.default_rng(0)
    styles = random.standard_normal((800, 2))
    chosen = styles[spread_choice(styles, 100)]
    assert len(chosen) == 100
    ranks = (styles[:, None] < chosen[None]).mean(axis=0)
    for column in range(2):
        found, _ = np.histogram(ranks[:, column], bins=4, range=(0, 1))
        assert found.min() >= 20
    assert len(spread_choice(styles[:3], 10)) == 3


def test_criteria_hold_for_each_digit(tmp_path: Path) -> None:
    strict = SynthesisRequest(CONTENT, Criteria(min_confidence=0.99))
    made = make(tmp_path / "a", strict)
    assert made.manifest["rejected"]["confidence"] > 0
    assert made.manifest["measured"]["confidence"] >= 0.99
    kept = made.manifest["drawn"] - sum(made.manifest["rejected"].values())
    assert kept == len(images_shown(made, CONTENT.num_variants()))


def images_shown(made: SynthesisResult, variants: int) -> set[tuple[str, int, int]]:
    """Return the images of digits in a data set, and those that pens are measured on."""
    with (made.path / "writers.csv").open(newline="") as stream:
        shown = {(row["writer"], d, 0) for row in csv.DictReader(stream) for d in PEN_DIGITS}
    for row in rows(made):
        digits = [one for one in row["characters"] if "number" in one]
        shown |= {(row["writer"], int(o["character"]), o["number"] % variants) for o in digits}
    return shown


def test_only_digits_that_are_shown_are_drawn(made: SynthesisResult, tmp_path: Path) -> None:
    variants = CONTENT.num_variants()
    assert made.manifest["drawn"] == len(images_shown(made, variants)) < 12 * 10 * variants
    many = Sequences(300, length=(5, 5), writers=2, format="lmdb").resolved()
    everything = make(tmp_path / "a", SynthesisRequest(many))
    assert everything.manifest["drawn"] == 2 * 10 * many.num_variants()


def test_blank_digits_are_drawn_again(tmp_path: Path) -> None:
    class OftenBlank(HandGenerator):
        def image(self, label: int, seed: int) -> UInt8:
            image = super().image(label, seed)
            return np.full_like(image, INK - 1) if seed % 7 == 0 else image

    made = make(tmp_path / "a", REQUEST, OftenBlank())
    assert made.manifest["rejected"]["blank"] > 0


def test_writers_that_do_not_deliver_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_store, "ATTEMPTS", 5)

    class NoSevens(HandGenerator):
        def image(self, label: int, seed: int) -> UInt8:
            return super().image(0 if label == 7 else label, seed)

    with pytest.raises(DataError, match=r"writer \d+ does not deliver a 7 in 5 attempts"):
        make(tmp_path / "a", SynthesisRequest(CONTENT, Criteria(min_confidence=0.9)), NoSevens())


def test_unconditional_generators_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`sequences` needs a generator that takes labels"):
        make(tmp_path / "a", REQUEST, Unconditional())


def test_the_estimate_is_from_above(made: SynthesisResult) -> None:
    blocks = sum(-(-len(content) // 4096) * 4096 for content in tree(made.path).values())
    assert blocks < REQUEST.max_bytes(Shape(1, 28, 28))


def test_pictures_have_the_height(tmp_path: Path) -> None:
    layout = SequenceLayout(height=32, drift=0, tilt=(0, 0))
    content = Sequences(6, layout=layout, format="paddleocr", writers=3).resolved()
    for row in rows(make(tmp_path / "a", SynthesisRequest(content))):
        assert row["size"][0] == 32
        heights = [one["box"][3] for one in row["characters"]]
        assert 0.5 * 32 * HEIGHT_SHARE < np.median(heights) < 1.5 * 32 * HEIGHT_SHARE


def test_the_contact_sheet_shows_the_first(made: SynthesisResult) -> None:
    with Image.open(made.path / "preview.png") as sheet:
        assert sheet.width <= 1300
        assert sheet.height > 48
    assert 'src="data:image/png;base64,' in made._repr_html_()
    assert "42 sequences with" in repr(made)


def test_imitated_hands(tmp_path: Path) -> None:
    """One picture for each split; the digits are those of the flagship in these handwritings."""
    import inkgan

    paths = []
    for seed in (3, 8):
        picture = inkgan.load("flagship", device="cpu").sample([4], seeds=[seed])[0]
        paths.append(tmp_path / f"hand{seed}.png")
        Image.fromarray(255 - np.kron(picture, np.ones((4, 4), np.uint8))).save(paths[-1])
    made = inkgan.synth(
        tmp_path / "a",
        sequences=inkgan.Sequences(3, test=2, hands=paths, format="paddleocr"),
        device="cpu",
    )
    assert {(row["split"], row["writer"]) for row in rows(made)} == {
        ("train", "hand3"),
        ("test", "hand8"),
    }
    assert made.manifest["measured"]["label_accuracy"] > 0.9
    assert "imitate those of given pictures" in (made.path / "README.md").read_text()


def test_pools_of_real_digits() -> None:
    pool = pool_of_images(real_digits(), 4, 3)
    assert pool.images.shape == (4, 10, 3, 28, 28)
    assert np.array_equal(pool.images[1, 6, 2], real_digits()[6][5])
    assert isinstance(pool, GlyphPool)
