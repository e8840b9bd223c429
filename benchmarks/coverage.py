"""How often do the evaluation's 95 % intervals hold? Simulations of distributions that are known.

    python -m benchmarks.coverage                     # the table in docs/evaluation.md
    python -m benchmarks.coverage --draws 200 --only fd

Each scenario draws generated and real data again and again, and counts how often the interval
contains the expected value: near, where both are of one distribution, and far, about ten times the
baseline of real data away.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from inkgan.evaluation.paired import paired_comparison
from inkgan.evaluation.reference import total_deviation
from inkgan.evaluation.score import Baseline, Score
from inkgan.evaluation.set_intervals import (
    NEIGHBOR_METRICS,
    expansion_estimate,
    share_estimate,
    variety_estimate,
    worst_interval,
)
from inkgan.evaluation.train_distances import SPACES, TrainDistances, train_distance_intervals
from inkgan.metrics.frechet import frechet_infinity, moments
from inkgan.metrics.frechet_expansion import frechet_expansion, infinity_expansion
from inkgan.metrics.icc import icc_consistency, icc_one_way
from inkgan.metrics.kernels import gaussian_expansion, polynomial_expansion
from inkgan.metrics.memorization import ct_interval, quantile_share_interval
from inkgan.metrics.modes import stacked_mode_intervals
from inkgan.metrics.prdc import one_nearest_neighbor, prdc, recall
from inkgan.metrics.stats.expansion import Strata, expansion_interval
from inkgan.metrics.stats.intervals import (
    Interval,
    normal_interval,
    simultaneous_level,
    wilson_interval,
)
from inkgan.metrics.stats.ranks import Ranking, mean_accuracy_interval, mean_auc_interval
from inkgan.metrics.stats.subsets import subset_replicates

CLASSES, DIMENSION = 4, 6
Random = np.random.Generator
Intervals = Mapping[str, Interval]


@dataclass(frozen=True)
class Scenario:
    """One simulation.

    Attributes:
        name: of what is measured, and how far from real data.
        draw: draws data, and returns the intervals of one or more metrics.
        truths: expected values in closed form; others are the mean over the draws.
        smallest_of: for a metric that is the smallest of others, how their names begin: it is to
            hold the smallest of their expected values.
        cost: how many times longer than a microsecond formula a draw takes, for small runs.
    """

    name: str
    draw: Callable[[Random], Intervals]
    truths: Mapping[str, float] = field(default_factory=dict)
    smallest_of: Mapping[str, str] = field(default_factory=dict)
    cost: int = 1


@dataclass(frozen=True)
class Coverage:
    """How often the interval of a metric holds.

    Attributes:
        covered: of `draws` intervals.
        width: the mean half-width over 1.96 standard deviations of the value: 1 is exact.
    """

    scenario: str
    metric: str
    covered: int
    draws: int
    width: float

    @property
    def share(self) -> float:
        """The share that holds."""
        return self.covered / self.draws


def measure(scenario: Scenario, draws: int, seed: int) -> list[Coverage]:
    """Draw a scenario `draws` times, and count for each metric the intervals that hold."""
    random = np.random.default_rng([seed, *scenario.name.encode()])
    found = [scenario.draw(random) for _ in range(draws)]
    tables = {metric: np.array([each[metric] for each in found]) for metric in found[0]}
    truths = {metric: float(table[:, 0].mean()) for metric, table in tables.items()}
    for metric, start in scenario.smallest_of.items():
        truths[metric] = min(truth for key, truth in truths.items() if key.startswith(start))
    truths |= scenario.truths
    result = []
    for metric, table in tables.items():
        truth = truths[metric]
        inside = (table[:, 1] <= truth) & (truth <= table[:, 2])
        spread = 2 * 1.96 * table[:, 0].std(ddof=1)
        width = float((table[:, 2] - table[:, 1]).mean() / spread) if spread > 0 else math.nan
        result.append(Coverage(scenario.name, metric, int(inside.sum()), draws, width))
    return result


# --- distances ---


def digits(random: Random, count: int, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """Draw features of four classes in equal shares, (n, 6)."""
    return _features(random, np.arange(count) % CLASSES, scale, shift)


def mixed(random: Random, count: int, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """Draw features whose classes are random too."""
    return _features(random, random.integers(CLASSES, size=count), scale, shift)


def _features(random: Random, classes: np.ndarray, scale: float, shift: float) -> np.ndarray:
    """Draw features that are skewed and correlated, many of them 0, as after a ReLU."""
    count = len(classes)
    centers = 0.8 * np.eye(CLASSES, DIMENSION)[classes]
    noise = random.normal(size=(count, DIMENSION)) + 0.5 * random.normal(size=(count, 1))
    spread = noise * np.linspace(0.4, 1.2, DIMENSION)
    return np.asarray(np.maximum(centers + shift + scale * spread, 0))


def strata(generated: int, real: int) -> Strata:
    """Return the classes of `digits`."""
    return Strata(np.arange(generated) % CLASSES, np.arange(real) % CLASSES)


def frechet(scale: float, shift: float, *, labeled: bool, n: int = 400, m: int = 400) -> Scenario:
    """Draw a distance of sets with fixed shares of classes (`labeled`) or without."""

    def draw(random: Random) -> Intervals:
        source = digits if labeled else mixed
        fixed = strata(n, m) if labeled else None
        generated, real = source(random, n, scale, shift), source(random, m)
        return {"fd": expansion_interval(frechet_expansion(generated, real, fixed)).interval}

    return Scenario(f"fd {'labels ' if labeled else ''}{scale:g} {shift:g}", draw, cost=3)


def frechet_sets(scale: float, shift: float, sets: int = 3, n: int = 400) -> Scenario:
    """Draw the mean distance of several sets to the same real one."""

    def draw(random: Random) -> Intervals:
        real = digits(random, n)
        expansions = [
            frechet_expansion(digits(random, n, scale, shift), real, strata(n, n))
            for _ in range(sets)
        ]
        value = float(np.mean([expansion.value for expansion in expansions]))
        return {"fd": expansion_interval(expansions[0], sets, value).interval}

    return Scenario(f"fd of {sets} sets {scale:g} {shift:g}", draw, cost=6)


def wide_features(scale: float, shift: float, n: int = 300, width: int = 60) -> Scenario:
    """Draw a FID: five images for each of many correlated features, as with Inception's 2,048."""
    mixing = np.random.default_rng(0).normal(size=(8, width)) / math.sqrt(8)

    def features(random: Random, spread: float, offset: float) -> np.ndarray:
        noise = random.normal(size=(n, 8)) @ mixing + 0.5 * random.normal(size=(n, width))
        return np.asarray(np.maximum(0.3 + offset + spread * noise, 0))

    def draw(random: Random) -> Intervals:
        generated, real = features(random, scale, shift), features(random, 1.0, 0.0)
        return {"fid": expansion_interval(frechet_expansion(generated, real)).interval}

    return Scenario(f"fid {scale:g} {shift:g}", draw, cost=12)


def deviations(scale: float, n: int = 250) -> Scenario:
    """Draw the variety of a class: the ratio of the total deviations of both sides."""

    def draw(random: Random) -> Intervals:
        generated, real = mixed(random, n, scale), mixed(random, n)
        value = total_deviation(generated) / total_deviation(real)
        return {"variety": variety_estimate(value, generated, real).interval}

    return Scenario(f"variety {scale:g}", draw)


def infinity(scale: float, shift: float, n: int = 1600, m: int = 400) -> Scenario:
    """Draw an extrapolated distance."""

    def draw(random: Random) -> Intervals:
        generated, real = digits(random, n, scale, shift), digits(random, m)
        counts = (200, 400, 800, 1600)
        line = frechet_infinity(generated, moments(real), counts, seed=0)
        finite = frechet_expansion(generated, real, strata(n, m))
        expansion = infinity_expansion(finite, line.intercept, counts)
        return {"fd_infinity": expansion_interval(expansion).interval}

    return Scenario(f"fd_infinity {scale:g} {shift:g}", draw, cost=6)


def kernels(scale: float, shift: float, n: int = 300) -> Scenario:
    """Draw KID and MMD of equal classes at random."""

    def draw(random: Random) -> Intervals:
        generated, real = mixed(random, n, scale, shift), mixed(random, n)
        return {
            "kid": expansion_interval(polynomial_expansion(generated, real)).interval,
            "mmd": expansion_interval(gaussian_expansion(generated, real, 2.0)).interval,
        }

    same = (scale, shift) == (1.0, 0.0)
    truths = {"kid": 0.0, "mmd": 0.0} if same else {}
    return Scenario(f"kernels {scale:g} {shift:g}", draw, truths, cost=12)


def worst_class(excess: Sequence[float], n: int = 250) -> Scenario:
    """Bound the largest distance of classes that are shifted by the roots of `excess`."""

    def draw(random: Random) -> Intervals:
        own, wide = [], []
        for distance in excess:
            generated, real = random.normal(size=(2, n, DIMENSION))
            generated[:, 0] += math.sqrt(distance)
            expansion = frechet_expansion(generated, real)
            value = expansion.value - expansion.null
            expansion = expansion._replace(value=value, null=0.0)
            own.append(expansion_interval(expansion).interval)
            level = simultaneous_level(len(excess))
            wide.append(expansion_interval(expansion, level=level).interval)
        value = max(interval.value for interval in own)
        return {"worst_class_fd": worst_interval(value, own, wide, largest=True)}

    name = f"worst_class_fd {max(excess):g} of {len(set(excess))}"
    return Scenario(name, draw, {"worst_class_fd": max(excess)}, cost=8)


def _recall(real: np.ndarray, generated: np.ndarray) -> Callable[..., Sequence[float]]:
    return lambda rows, others: [recall(real[rows], generated[others])]


def worst_recall(scales: Sequence[float], n: int = 250) -> Scenario:
    """Bound the smallest recall of classes that are drawn narrower than they are."""

    def draw(random: Random) -> Intervals:
        found, wide = {}, []
        level = simultaneous_level(len(scales))
        for place, scale in enumerate(scales):
            generated, real = random.normal(size=(2, n, DIMENSION))
            generated *= scale
            parts = subset_replicates(_recall(real, generated), Strata.of(None, real[:, 0], n))[0]
            value = recall(real, generated)
            found[f"recall/{place}"] = share_estimate(value, parts, n).interval
            wide.append(share_estimate(value, parts, n, level).interval)
        own = [*found.values()]
        value = min(interval.value for interval in own)
        return {**found, "worst_class_recall": worst_interval(value, own, wide, largest=False)}

    name = f"worst_class_recall {min(scales):g} of {len(set(scales))}"
    return Scenario(name, draw, smallest_of={"worst_class_recall": "recall/"}, cost=60)


# --- neighbors ---


def neighbors(scale: float, shift: float, sets: int = 1, n: int = 600) -> Scenario:
    """Draw precision, recall, density and coverage of one or more sets."""

    def draw(random: Random) -> Intervals:
        real = digits(random, n)
        generated = np.concatenate([digits(random, n, scale, shift) for _ in range(sets)])
        parts = subset_replicates(
            lambda rows, others: prdc(real[rows], generated[others]), strata(n * sets, n), sets
        )
        values = np.mean([prdc(real, generated[i * n : (i + 1) * n]) for i in range(sets)], axis=0)
        found = {}
        for key, part, value in zip(NEIGHBOR_METRICS, parts, values, strict=True):
            count = n * sets if key == "precision" else n
            found[key] = (
                normal_interval(value, part.error)
                if key == "density"
                else share_estimate(float(value), part, count).interval
            )
        return found

    return Scenario(f"neighbors {scale:g} {shift:g} x{sets}", draw, cost=60)


def nearest(shift: float, n: int = 600) -> Scenario:
    """Draw the 1-NN accuracy."""

    def draw(random: Random) -> Intervals:
        real, generated = mixed(random, n), mixed(random, n, 1.0, shift)
        alone = Strata.of(None, real[:, 0], n)
        part = subset_replicates(
            lambda rows, others: [one_nearest_neighbor(real[rows], generated[others]).accuracy],
            alone,
        )[0]
        value = one_nearest_neighbor(real, generated).accuracy
        return {"one_nearest": share_estimate(value, part, n).interval}

    return Scenario(f"one_nearest {shift:g}", draw, cost=30)


# --- shares, ranks and counts ---


def shares(share: float, n: int = 2000) -> Scenario:
    """Draw a share of independent images."""

    def draw(random: Random) -> Intervals:
        return {"label_accuracy": wilson_interval(int(random.binomial(n, share)), n)}

    return Scenario(f"label_accuracy {share:g}", draw, {"label_accuracy": share})


def quantile_shares(scale: float, n: int = 2000) -> Scenario:
    """Distances of exponential length: of generated images `scale` times as long."""

    def draw(random: Random) -> Intervals:
        generated, test = scale * random.exponential(size=n), random.exponential(size=n)
        return {
            "near_train": quantile_share_interval(generated, test, 0.01).interval,
            "copies": quantile_share_interval(generated, test, 0.002).interval,
        }

    truths = {
        key: float(-np.expm1(np.log1p(-share) / scale))
        for key, share in (("near_train", 0.01), ("copies", 0.002))
    }
    return Scenario(f"near to training {scale:g}", draw, truths)


def originals(pixels: float, e2: float, n: int = 1000) -> Scenario:
    """Draw the authenticity: the smaller of two shares of the same images, in two spaces."""
    thresholds = stats.norm.ppf([pixels, e2])

    def draw(random: Random) -> Intervals:
        common = random.normal(size=n)
        spaces = {}
        for space, threshold in zip(SPACES, thresholds, strict=True):
            above = threshold + (common + random.normal(size=n)) / math.sqrt(2)
            spaces[space] = TrainDistances(np.exp(above), np.zeros(n, np.intp), np.exp(above))
        return {"authenticity": train_distance_intervals(spaces, spaces)["authenticity"].interval}

    truths = {"authenticity": min(pixels, e2)}
    return Scenario(f"authenticity {pixels:g} {e2:g}", draw, truths)


def train_ranks(shift: float, n: int = 400) -> Scenario:
    """Draw C_T of normal distances."""

    area = float(stats.norm.cdf(shift / math.sqrt(2)))

    def draw(random: Random) -> Intervals:
        return {"ct": ct_interval(random.normal(size=n), random.normal(shift, 1, n)).interval}

    truth = (area - 0.5) * math.sqrt(12 * n * n / (2 * n + 1))
    return Scenario(f"ct {shift:g}", draw, {"ct": truth})


def auc(shift: float, networks: int = 5, n: int = 600) -> Scenario:
    """Networks whose ability differs, tested on overlapping parts of the same real images."""
    spread = 0.05

    def draw(random: Random) -> Intervals:
        hardness = random.normal(size=n)
        rankings = []
        for network in range(networks):
            ability = shift + spread * random.normal()
            rows = random.permutation(n)[: n // 2]
            real = (hardness[rows] + random.normal(size=n // 2)) / math.sqrt(2)
            generated = random.normal(ability, 1, n // 2)
            own = np.arange(n // 2) + network * n
            rankings.append(Ranking(real, generated, rows, own))
        return {"two_sample_auc": mean_auc_interval(rankings).interval}

    truth = float(stats.norm.cdf(shift / math.sqrt(2 + spread**2)))
    return Scenario(f"two_sample_auc {shift:g}", draw, {"two_sample_auc": truth}, cost=3)


def accuracy(mean: float, networks: int = 5, n: int = 1000) -> Scenario:
    """Images differ in difficulty, networks in ability: right where normal variables are above."""

    def draw(random: Random) -> Intervals:
        latent = mean + random.normal(size=n) + 0.05 * random.normal(size=(networks, 1))
        right = latent + 0.5 * random.normal(size=(networks, n)) > 0
        return {"cas": mean_accuracy_interval(right).interval}

    truth = float(stats.norm.cdf(mean / math.sqrt(1 + 0.05**2 + 0.5**2)))
    return Scenario(f"cas {mean:g}", draw, {"cas": truth})


def stacked(tilt: float, n: int = 5000, classes: int = 6) -> Scenario:
    """Modes with shares in a geometric row, `tilt` apart for each class."""
    weights = np.exp(-tilt * np.arange(classes))
    weights = weights / weights.sum()
    joint = np.prod(np.stack(np.meshgrid(weights, weights, weights)), axis=0).ravel()

    def draw(random: Random) -> Intervals:
        labels = random.choice(classes, size=(n, 3), p=weights)
        bounds = stacked_mode_intervals(labels, classes)
        return {"modes": bounds.modes, "kl": bounds.kl}

    truths = {"modes": float((1 - (1 - joint) ** n).sum())}
    return Scenario(f"stacked {tilt:g}", draw, truths)


def correlations(share: float, latents: int = 60, labels: int = 10) -> Scenario:
    """Draw latents that own a `share` of the variance."""

    def draw(random: Random) -> Intervals:
        table = math.sqrt(share) * random.normal(size=(latents, 1))
        table = table + math.sqrt(1 - share) * random.normal(size=(latents, labels))
        fixed = table + np.arange(labels)
        return {"one-way ICC": icc_one_way(table), "style consistency": icc_consistency(fixed)}

    truths = {"one-way ICC": share, "style consistency": share}
    return Scenario(f"icc {share:g}", draw, truths, cost=2)


def comparison(first: float, second: float, n: int = 400) -> Scenario:
    """Two generators against the same real images."""

    def draw(random: Random) -> Intervals:
        real = digits(random, n)
        scores = []
        for shift in (first, second):
            expansion = frechet_expansion(digits(random, n, 1.0, shift), real, strata(n, n))
            estimate = expansion_estimate(expansion, expansion.value)
            score = Score.of(
                "fd_e1",
                estimate.interval,
                Baseline(0.1, 0.0, 20),
                "images",
                standard_error=estimate.error,
                replicates=tuple(estimate.replicates),
            )
            scores.append({0: {"fd_e1": score}})
        gap = paired_comparison(*scores)[0].gap
        if gap is None:
            raise AssertionError("both scores have an interval")
        return {"difference of fd": gap}

    return Scenario(f"comparison {first:g} {second:g}", draw, cost=8)


SCENARIOS: tuple[Scenario, ...] = (
    frechet(1.0, 0.0, labeled=False),
    frechet(1.05, 0.1, labeled=False),
    frechet(1.2, 0.3, labeled=False),
    frechet(1.0, 0.0, labeled=True),
    frechet(1.05, 0.1, labeled=True),
    frechet(1.2, 0.3, labeled=True),
    frechet_sets(1.0, 0.0),
    frechet_sets(1.2, 0.3),
    wide_features(1.0, 0.0),
    wide_features(1.2, 0.3),
    infinity(1.0, 0.0),
    infinity(1.2, 0.3),
    kernels(1.0, 0.0),
    kernels(1.2, 0.3),
    worst_class([0.0] * 5),
    worst_class([0.0, 0.0, 0.0, 0.0, 0.5]),
    worst_recall([1.0] * 5),
    worst_recall([1.0, 1.0, 1.0, 1.0, 0.7]),
    deviations(1.0),
    deviations(0.5),
    neighbors(1.0, 0.0),
    neighbors(0.6, 0.3),
    neighbors(1.5, 0.0),
    neighbors(0.6, 0.3, sets=2),
    nearest(0.0),
    nearest(1.0),
    shares(0.99),
    shares(0.9),
    quantile_shares(1.0),
    quantile_shares(0.1),
    originals(0.6, 0.6),
    originals(0.6, 0.1),
    train_ranks(0.0),
    train_ranks(-1.0),
    auc(0.0),
    auc(2.0),
    accuracy(2.2),
    accuracy(1.0),
    stacked(0.0),
    stacked(0.8),
    correlations(0.1),
    correlations(0.9),
    comparison(0.0, 0.0),
    comparison(0.3, 0.35),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    options = parser.parse_args(arguments)
    print("| scenario | metric | coverage | width |\n|---|---|---|---|")
    for scenario in SCENARIOS:
        if options.only not in scenario.name:
            continue
        for row in measure(scenario, options.draws, options.seed):
            error = math.sqrt(row.share * (1 - row.share) / row.draws)
            print(
                f"| {row.scenario} | {row.metric} | {row.share:.1%} ± {error:.1%} "
                f"| {row.width:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
