"""The protocol: what must be zero is, what is worse scores worse, what is copied is caught."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import as_file
from importlib.resources import files as resources
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inkgan import files
from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.errors import DataError
from inkgan.evaluation.baselines import (
    GRID,
    QUICK_IMAGES,
    BaselineCache,
    interpolate,
    migrate_baselines,
    summarize,
)
from inkgan.evaluation.protocol import ProtocolRunner, confusion
from inkgan.evaluation.reference import ReferenceSet, class_matched
from inkgan.evaluation.results import EvaluationResult, GeneratedImages, Protocol, check_images
from inkgan.evaluation.score import Score
from inkgan.evaluation.set_metrics import measure_set
from inkgan.evaluation.verdict import verdict
from inkgan.metrics.features.extractors import extract_features, linear_probabilities, weights_path
from inkgan.metrics.features.fitting_split import fitting_images
from inkgan.metrics.frechet import frechet_distance, moments
from inkgan.metrics.metric_registry import METRIC_SPECS
from inkgan.metrics.two_sample import classification_accuracy, two_sample_auc
from inkgan.types import UInt8
from tests.fixtures.references import small_reference, small_reference_set

SIZE = 500
THOROUGH = Protocol("thorough", images=SIZE, set_size=SIZE, thorough=True)


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> BaselineCache:
    return BaselineCache(small_reference_set(), folder=tmp_path_factory.mktemp("baselines"))


def train_draw(count: int = SIZE, draw: int = 77) -> tuple[UInt8, np.ndarray]:
    rows = small_reference().class_matched(count, draw)
    return small_reference().train[rows], small_reference().train_labels[rows]


# --- the shipped networks ---


def test_shipped_weights_are_those_that_were_measured() -> None:
    described = files.read_json(weights_path("e1").parent / "extractors.json")
    for name, row in described.items():
        assert hashlib.sha256(weights_path(name).read_bytes()).hexdigest() == row["sha256"]
    assert described["e1"]["test_accuracy"] >= 0.994
    assert described["e3"]["sha256"] != described["e1"]["sha256"]


def test_stated_accuracies_are_true() -> None:
    if small_reference().name != "mnist":
        pytest.skip("needs MNIST in INKGAN_DATA")
    test = load_dataset(Data(name="mnist", holdout=0), "test", Path(os.environ["INKGAN_DATA"]))
    pixels, labels = test.images[:, 0].numpy(), test.labels.numpy()
    described = files.read_json(weights_path("e1").parent / "extractors.json")
    right = (extract_features(pixels).predicted == labels).mean()
    assert right == pytest.approx(described["e1"]["test_accuracy"], abs=2e-4)
    linear = (linear_probabilities(pixels).argmax(axis=1) == labels).mean()
    assert linear == pytest.approx(described["linear"]["test_accuracy"], abs=2e-4)


def test_what_is_seen_does_not_depend_on_the_company() -> None:
    whole = extract_features(small_reference().test[:600])
    order = np.random.default_rng(0).permutation(600)
    shuffled = extract_features(small_reference().test[:600][order])
    few = extract_features(small_reference().test[:7])
    for part in range(3):
        assert (whole[part][order] == shuffled[part]).all()
        assert (whole[part][:7] == few[part]).all()


def test_baselines_are_of_images_that_no_extractor_has_seen() -> None:
    reference = small_reference()
    assert not fitting_images(reference.train[reference.unseen]).any()
    rows = reference.class_matched(300, draw=3)
    assert set(rows) <= set(reference.unseen)
    everything = reference.class_matched(len(reference.test), draw=3, all_images=True)
    assert not set(everything) <= set(reference.unseen)
    assert reference.only((3, 5, 8)).largest_set <= len(reference.only((3, 5, 8)).unseen)


def test_draws_that_share_images_have_a_wider_error() -> None:
    """Simulate means of n out of N numbers: their spread, and the error of their mean."""
    random, n, population, trials = np.random.default_rng(8), 100, 250, 400
    sds, means, errors = [], [], []
    for _ in range(trials):
        numbers = random.normal(size=population)
        draws = [random.permutation(numbers)[:n].mean() for _ in range(20)]
        mean, sd, count, error = summarize(draws, n / population)
        assert count == 20
        means.append(mean)
        sds.append(sd)
        errors.append(error)
    assert np.sqrt(np.mean(np.square(sds))) == pytest.approx(1 / np.sqrt(n), rel=0.05)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(means), rel=0.12)


# --- what must be zero, and what must be worse ---


def test_identical_sets_score_perfectly() -> None:
    found = measure_set(
        small_reference_set().features, small_reference_set().labels, small_reference_set()
    )
    assert found["fd_e1"] == pytest.approx(0, abs=1e-6)
    assert found["fd_e2"] == pytest.approx(0, abs=1e-6)
    assert found["precision"] == found["recall"] == found["coverage"] == 1
    assert found["kid"] <= 0.01  # unbiased, so that identical sets may fall below 0
    assert found["variety/3"] == pytest.approx(1)


def test_float32_and_float64_features_agree() -> None:
    fakes = extract_features(train_draw()[0]).e1
    real = moments(small_reference_set().features.e1)
    single = frechet_distance(moments(fakes), real)
    double = frechet_distance(moments(fakes.astype(np.float64)), real)
    assert single == pytest.approx(double, rel=1e-9)


def noise(pixels: UInt8, amount: float) -> UInt8:
    random = np.random.default_rng(1)
    noisy = pixels + random.normal(0, 255 * amount, pixels.shape)
    return noisy.clip(0, 255).round().astype(np.uint8)


def blur(pixels: UInt8, sigma: float) -> UInt8:
    blurred = gaussian_filter(pixels.astype(np.float64), (0, sigma, sigma))
    return np.asarray(blurred.round(), np.uint8)


def drop_classes(pixels: UInt8, count: int) -> UInt8:
    return pixels[train_draw()[1] >= count]


def duplicate(pixels: UInt8, kept: int) -> UInt8:
    return pixels[np.arange(len(pixels)) % kept]


@pytest.mark.parametrize(
    ("spoil", "amounts"),
    [
        (noise, (0.1, 0.2, 0.4)),
        (blur, (0.6, 1.0, 1.6)),
        (drop_classes, (1, 3, 6)),
        (duplicate, (200, 60, 20)),
    ],
)
def test_worse_images_score_worse(spoil: object, amounts: tuple[float, ...]) -> None:
    pixels, _ = train_draw()
    scores = [measure_set(extract_features(pixels), None, small_reference_set(), thorough=False)]
    for amount in amounts:
        spoilt = spoil(pixels, amount)  # type: ignore[operator]
        scores.append(
            measure_set(extract_features(spoilt), None, small_reference_set(), thorough=False)
        )
    for key in ("fd_e1", "fd_e2"):
        values = [score[key] for score in scores]
        assert values == sorted(values), (key, values)
    coverage = [score["coverage"] for score in scores]
    assert coverage[-1] < 0.9 * coverage[0]


def test_real_images_score_inside_their_own_band(baselines: BaselineCache) -> None:
    pixels, labels = train_draw()
    found = run_protocol(baselines, pixels, labels, thorough=False)
    for key in ("fd_e1", "fd_e2", "precision", "recall", "density", "coverage"):
        assert abs(found.scores[key].z) < 4, key


# --- copies ---


def run_protocol(
    baselines: BaselineCache, pixels: UInt8, asked: np.ndarray | None = None, thorough: bool = True
) -> EvaluationResult:
    protocol = replace(THOROUGH, thorough=thorough)
    return ProtocolRunner(small_reference_set(), baselines, protocol).run(
        GeneratedImages(pixels, asked)
    )


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_planted_copies_are_caught(baselines: BaselineCache, share: float) -> None:
    copied = round(share * SIZE)
    pixels = np.concatenate(
        [small_reference().train[:copied], small_reference().test[: SIZE - copied]]
    )
    found = run_protocol(baselines, pixels)
    assert any(alarm.alarm for alarm in found.copy_tests.values())
    assert any("Copies training images" in sentence for sentence in verdict(found))


def test_fresh_images_raise_no_alarm_and_say_what_would(baselines: BaselineCache) -> None:
    found = run_protocol(baselines, small_reference().test[:SIZE])
    assert not any(alarm.alarm for alarm in found.copy_tests.values())
    told = " ".join(verdict(found))
    assert "No copies of training images are found" in told
    assert min(alarm.detectable for alarm in found.copy_tests.values()) <= 0.05


# --- labels and words ---


def test_labels_that_do_not_belong_are_noticed(baselines: BaselineCache) -> None:
    pixels, labels = train_draw()
    found = run_protocol(baselines, pixels, (labels + 1) % 10, thorough=False)
    title = METRIC_SPECS["confident"].title.lower()
    assert any(f"are {title}: do the labels belong" in note for note in found.notes)


def test_images_that_lie_on_their_side_are_noticed(baselines: BaselineCache) -> None:
    """As EMNIST stores them."""
    pixels, labels = train_draw()
    turned = np.ascontiguousarray(pixels.transpose(0, 2, 1))
    found = run_protocol(baselines, turned, labels, thorough=False)
    (note,) = [note for note in found.notes if "exchanged" in note]
    assert "of the images show their label when rows and columns are exchanged" in note
    assert "Give them upright, `images.transpose(0, 2, 1)`" in note
    assert not any("do the labels belong" in note for note in found.notes)


def test_a_missing_digit_is_named(baselines: BaselineCache) -> None:
    pixels, labels = train_draw()
    found = run_protocol(baselines, pixels[labels != 4], labels[labels != 4], thorough=False)
    assert any("There is no 4" in note for note in found.notes)
    assert any("Hardly any image is a 4" in sentence for sentence in verdict(found))
    assert found.scores["worst_class_recall"].value == 0


def test_a_digit_drawn_again_and_again_lacks_variety(baselines: BaselineCache) -> None:
    pixels, labels = train_draw()
    pixels = pixels.copy()
    pixels[labels == 1] = pixels[labels == 1][0]
    found = run_protocol(baselines, pixels, labels, thorough=False)
    assert "1s lack variety" in " ".join(verdict(found))
    row = found.classes[1]
    assert row["recall_low"] <= row["recall"] <= row["recall_high"]
    assert "fd" not in row  # of so few images it would be bias alone
    assert "worst_class_fd" not in found.scores


def test_confusion_counts_what_was_asked_and_read() -> None:
    features = extract_features(small_reference().test[:200])
    asked = np.where(features.predicted == 3, 8, features.predicted)
    table = confusion(features, asked)
    assert table.sum() == pytest.approx(1)
    assert table[8, 3] == pytest.approx((features.predicted == 3).mean())


def test_a_score_cannot_be_made_without_its_baseline() -> None:
    with pytest.raises(TypeError, match="baseline"):
        Score("fd_e1", 1.0, 0.5, 1.5, interval_over="images")  # type: ignore[call-arg]


def test_every_score_is_explained_and_survives_json(baselines: BaselineCache) -> None:
    found = run_protocol(baselines, *train_draw())
    assert len(found.scores) >= 14
    for key, score in found.scores.items():
        assert key in METRIC_SPECS
        assert Score.from_dict(score.to_dict()) == score
        if score.interval is None:
            assert score.no_interval
        else:
            assert score.interval.low <= score.value <= score.interval.high


# --- usefulness and detection ---


def test_a_classifier_learns_from_real_digits_and_not_from_noise() -> None:
    pixels, labels = train_draw(len(small_reference().test))
    real = classification_accuracy(
        pixels, labels, small_reference().test, small_reference().test_labels, seed=0
    )
    again = classification_accuracy(
        pixels, labels, small_reference().test, small_reference().test_labels, seed=0
    )
    shuffled = np.random.default_rng(0).permutation(labels)
    noise_accuracy = classification_accuracy(
        pixels, shuffled, small_reference().test, small_reference().test_labels, seed=0
    )
    assert real == again
    assert real > 0.8
    assert noise_accuracy < 0.5


def test_a_class_with_few_training_images_makes_the_baseline_of_smaller_sets(
    tmp_path: Path,
) -> None:
    images = small_reference()
    rows = np.flatnonzero(images.train_labels != 9)
    few = np.sort(np.concatenate([rows, np.flatnonzero(images.train_labels == 9)[:5]]))
    lacking = replace(images, train=images.train[few], train_labels=images.train_labels[few])
    found = BaselineCache(ReferenceSet(lacking), folder=tmp_path).get("two-sample", SIZE)
    assert 0.3 < found["one_nearest"].mean < 0.7


def test_the_detective_guesses_at_real_and_finds_blurred_ones() -> None:
    rows = small_reference().class_matched(SIZE, 5)
    assert (
        two_sample_auc(small_reference().test[:SIZE], small_reference().train[rows], seed=0) < 0.75
    )
    assert (
        two_sample_auc(
            small_reference().test[:SIZE], blur(small_reference().train[rows], 1.0), seed=0
        )
        > 0.9
    )


def test_class_matched_draws_follow_the_wanted_shares() -> None:
    labels = np.repeat(np.arange(10), 50)
    wanted = np.repeat(np.arange(10), np.arange(1, 11))
    rows = class_matched(labels, wanted, 100, draw=0)
    assert len(rows) == len(set(rows.tolist())) == 100
    shares = np.bincount(labels[rows], minlength=10)
    assert np.abs(shares - 100 * np.arange(1, 11) / 55).max() < 1


# --- bad input ---


@pytest.mark.parametrize(
    ("pixels", "asked", "words"),
    [
        (
            lambda: np.zeros((300, 28, 28), np.float32),
            None,
            "uint8 pixels from 0 to 255, not float32",
        ),
        (lambda: np.full((300, 28, 28), np.nan), None, "not float64"),
        (lambda: np.zeros((300, 32, 32), np.uint8), None, "28x28 pixels, not 32x32"),
        (lambda: np.zeros((300, 28, 28, 3), np.uint8), None, "not 28x28x3"),
        (lambda: np.zeros((0, 28, 28), np.uint8), None, "no image to evaluate"),
        (lambda: small_reference().test[:50], None, "50 images are too few"),
        (lambda: np.zeros((300, 28, 28), np.uint8), None, "every pixel of all 300 images is 0"),
        (lambda: small_reference().train[:300] // 128, None, "0 and 1 where 0 to 255"),
        (
            lambda: small_reference().train[:250],
            np.zeros(200, np.int64),
            r"250 images have labels of shape \(200,\)",
        ),
        (lambda: small_reference().train[:250], np.full(250, -1), "label -1 is no class"),
    ],
)
def test_bad_input_is_refused(
    pixels: Callable[[], np.ndarray], asked: np.ndarray | None, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        check_images(GeneratedImages(pixels(), asked))


# --- baselines of odd sizes ---


def shipped_baselines() -> dict[str, dict[str, list[float]]]:
    with as_file(resources("inkgan.evaluation") / "baselines.json") as path:
        return migrate_baselines(files.read_json(path))


def test_interpolated_baselines_are_those_of_the_size() -> None:
    """Leave one shipped size out, and find it again between its neighbors."""
    shipped = shipped_baselines()
    sizes = [*GRID, 10_000]
    for low, size, high in zip(sizes, sizes[1:], sizes[2:], strict=False):
        known = {n: shipped.get(f"quick-set {n}") or shipped[f"set {n}"] for n in (low, size, high)}
        found = interpolate(size, (low, known[low]), (high, known[high]))
        for name in ("fd_e1", "fd_e2", "precision", "recall", "density", "coverage", "confident"):
            mean, sd = known[size][name][:2]
            assert abs(found[name].mean - mean) < 3 * sd, (name, size)
            assert sd / 2.5 < found[name].sd < 2.5 * sd, (name, size)
            assert found[name].draws == min(known[low][name][2], known[high][name][2])


def test_few_draws_where_nothing_is_shipped(tmp_path: Path) -> None:
    cache = BaselineCache(small_reference_set(), folder=tmp_path)
    assert not cache.interpolates("quick-set", 450)
    assert cache.get("quick-set", 450)["recall"].draws == 20
    assert QUICK_IMAGES // 2_000 == 7
