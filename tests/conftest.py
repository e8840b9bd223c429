"""Small recipes and data sets that the tests share."""

import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from inkgan.config import (
    Convolution,
    Data,
    DcganDiscriminatorConfig,
    DcganGeneratorConfig,
    Model,
    Recipe,
    Schedule,
    Stem,
)
from inkgan.data.known_coordinates import KEPT
from tests.fixtures.registries import own_registrations

# Files that take more than half a minute, the longest first: begun last, one would keep a process
# busy while the others have nothing left to do.
LONGEST = (
    "runs/test_torchrun.py",
    "execution/test_ray_cluster.py",
    "docs/test_notebooks.py",
    "cli/test_kill_commands.py",
    "docs/test_code_blocks.py",
    "studio/test_in_browser.py",
    "sweeps/test_sweep.py",
    "benchmarks/test_mixtures.py",
    "evaluation/test_evaluate.py",
    "runs/test_trainer.py",
    "training/test_many_processes.py",
    "runs/test_seeds.py",
    "metrics/test_coverage.py",
    "sweeps/test_postgresql.py",
    "cli/test_terminal_display.py",
    "docs/test_python_page.py",
    "inversion/test_photographs.py",
    "evaluation/test_streamed.py",
    "benchmarks/test_speed.py",
    "benchmarks/test_studio_cost.py",
    "runs/test_kill.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-xdist begin with the first files, not with those that have the most tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first, and leave out what needs a GPU where there is none."""
    longest_first(items)
    if not torch.cuda.is_available():
        needing = [item for item in items if item.get_closest_marker("cuda")]
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


def longest_first(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Take the imported modules out of garbage collection, which else looks at them every time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _own_registrations() -> Iterator[None]:
    """Leave no loss, penalty or augmentation of a file's own to the next file."""
    with own_registrations():
        yield


@pytest.fixture(scope="session")
def fitted_codes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for shape codes: those of MNIST take 23 seconds, for each run in its cache."""
    return tmp_path_factory.mktemp("fitted-codes")


@pytest.fixture(autouse=True)
def _own_cache(
    tmp_path_factory: pytest.TempPathFactory, fitted_codes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep the user's cache and the network out of every test; only shape codes are shared."""
    cache = tmp_path_factory.mktemp("cache")
    with contextlib.suppress(OSError):  # links need rights on Windows; then codes are fitted anew
        (cache / KEPT).symlink_to(fitted_codes, target_is_directory=True)
    monkeypatch.setenv("INKGAN_CACHE", str(cache))
    monkeypatch.setenv("INKGAN_OFFLINE", "1")


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a cache in which the baselines of the tests' small reference are computed once."""
    return tmp_path_factory.mktemp("shared-cache")


@pytest.fixture
def keeps_baselines(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test use the baselines that another has computed."""
    monkeypatch.setenv("INKGAN_CACHE", str(shared_cache))


@pytest.fixture
def digits() -> Data:
    """Name real digits: MNIST where INKGAN_DATA holds it, the built-in ones where not."""
    root = os.environ.get("INKGAN_DATA")
    if root and (Path(root) / "mnist").is_dir():
        return Data(name="mnist", holdout=0)
    return Data(name="uci-digits", holdout=0)


@pytest.fixture
def tiny() -> Recipe:
    """Give a recipe that trains in seconds, with BatchNorm, dropout and augmentation in it."""
    return Recipe(
        name="tiny",
        data=Data.model_validate(
            {"name": "uci-digits", "holdout": 0, "size": 12, "augment": "rotate:10"}
        ),
        model=Model(
            latent_dim=8,
            init="normal",
            generator=DcganGeneratorConfig(
                stem=Stem(channels=8), layers=(Convolution(channels=4),)
            ),
            discriminator=DcganDiscriminatorConfig(
                layers=(Convolution(channels=4), Convolution(channels=8)), dropout=0.3
            ),
        ),
        schedule=Schedule(batch_size=64, epochs=3),
    )


@pytest.fixture
def same_weights() -> Callable[[dict[str, torch.Tensor], dict[str, torch.Tensor]], bool]:
    """Give a test of two states for equality to the bit."""

    def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
        return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)

    return same
