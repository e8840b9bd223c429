"""The command line as a stranger meets it."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inkgan.cli.command import EXIT_CODES
from inkgan.cli.parse import parse_seeds
from inkgan.config import Recipe
from inkgan.config.serialize import from_toml, to_toml
from inkgan.errors import ConfigError
from tests.cli.test_kill_commands import PROCESSES, child
from tests.fixtures.command_line import inkgan
from tests.fixtures.references import as_npz, small_reference

ENDLESS = ["train", "tiny.toml", "--epochs", "100000", "--out", "a"]
SMALL = ["--images", "640", "--set", "schedule.batch_size=32"]
VERBS = (
    "train",
    "sample",
    "write",
    "morph",
    "synth",
    "imitate",
    "evaluate",
    "compare",
    "benchmark",
    "version",
    "export",
    "recipes",
    "data",
    "extractors",
)


def process(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the real entry point, where the process itself is what a test is about."""
    command = [sys.executable, "-m", "inkgan", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=cwd)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a short run, in a working folder that has runs/."""
    work = tmp_path_factory.mktemp("work")
    done = inkgan("train", "mlp", "--data", "uci-digits", *SMALL, cwd=work)
    assert done.code == 0, done.stderr
    return work / "runs" / "mlp"


def test_help_is_quick_and_complete() -> None:
    began = time.monotonic()
    done = process("--help")
    assert time.monotonic() - began < 10  # a safety limit: torch alone takes seconds
    assert done.returncode == 0
    for verb in VERBS:
        assert re.search(rf"^\W*{verb}\b", done.stdout, re.MULTILINE), verb
    words = re.sub(r"[\s│]+", " ", done.stdout)
    assert EXIT_CODES in words


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    done = inkgan(verb, "--help")
    assert done.code == 0
    assert f"inkgan {verb}" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("verb", [*VERBS, "export page", "data fetch", "extractors fit"])
def test_help_is_readable_at_every_width(verb: str, width: int) -> None:
    done = inkgan(*verb.split(), "--help", COLUMNS=str(width))
    assert max(map(len, done.stdout.splitlines())) <= width
    assert "..." not in re.sub(r"\w\.\.\.|, \.\.\.", "", done.stdout.partition("\n\n")[2])
    assert "…" not in done.stdout  # no name is cut


def test_help_names_the_defaults_that_depend_on_something() -> None:
    words = " ".join(inkgan("train", "--help").stdout.split())
    for default in ("runs/RECIPE", "dcgan", "an epoch", "each grid", "all idle cores"):
        assert f"[default: {default}]" in words


def test_versions() -> None:
    assert inkgan("--version").stdout.startswith("inkgan 0.")
    assert re.search(r"^torch \d", inkgan("version").stdout, re.MULTILINE)
    assert json.loads(inkgan("version", "--json").stdout).keys() == {"inkgan", "python", "torch"}


def test_wrong_usage_is_quick_and_has_its_exit_code() -> None:
    """The real entry point, without torch."""
    code = "import sys, inkgan.cli.main as m\ntry: m.main(sys.argv[1:])\nexcept SystemExit as e: "
    code += "print(e.code, 'torch' in sys.modules)"
    for arguments in (["trian"], ["sample", "--seeds", "9-3"], ["train", "dcgna"], ["write"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
        )
        assert done.stdout == "2 False\n", (arguments, done.stderr)


@pytest.mark.parametrize(
    ("code", "arguments", "words"),
    [
        (2, ["train", "dcgna"], "unknown recipe 'dcgna'; did you mean 'dcgan'"),
        (2, ["trian"], "No such command 'trian'. Did you mean 'train'?"),
        (2, ["train", "--epoch", "3"], "--epochs"),
        (2, ["train", "--epochs", "three"], "'--epochs'.*(got 'three')"),
        (2, ["train", "--epochs", "0"], "--epochs 0: .*greater than or equal to 1"),
        (2, ["train", "--images", "-5"], "--images -5"),
        (
            2,
            ["train", "--minutes", "-1", "--data", "uci-digits", "--out", "x"],
            "--minutes must be more than 0, not -1",
        ),
        (
            2,
            ["train", "--set", "optim.lrr=1"],
            "unknown field.*optim.lrr.*did you mean 'lr'",
        ),
        (2, ["train", "--data", "mnits"], "--data: .*unknown data set 'mnits'.*'mnist'"),
        (2, ["train", "--device", "gpu"], "--device 'gpu' is unknown; choose auto, cpu"),
        (2, ["train", "--device", "cuda:9"], "--device cuda:9.*--device cpu"),
        (
            2,
            ["train", "--threads", "0", "--data", "uci-digits", "--out", "x"],
            "--threads must be from 1 to",
        ),
        (1, ["train", "--data-dir", "nowhere"], "--data-dir nowhere is no folder"),
        (2, ["train", "--on-trouble", "pray"], "pray"),
        (1, ["train", "--data", "folder:nowhere"], "folder:nowhere: there is no such folder"),
        (1, ["sample", "nothing"], "no run or bundle 'nothing'"),
        (2, ["sample", "nothing", "--seeds", "9-3"], "--seeds '9-3'"),
        (2, ["sample", "nothing", "--out", "a.jpg"], "--out a.jpg: the ending must be"),
        (2, ["write"], "Missing argument"),
        (2, ["write", "12a"], "cannot write 'a'; possible are the digits"),
        (2, ["write", "12", "--ink", "inky"], "--ink 'inky' is no color"),
        (2, ["write", "12", "--out", "a.jpg"], "--out a.jpg: the ending must be"),
        (1, ["write", "12", "--from", "nothing"], "no run or bundle 'nothing'"),
        (2, ["morph", "3", "8", "--out", "a.mp4"], "--out a.mp4: the ending must be"),
        (1, ["morph", "3", "8", "--from", "nothing"], "no run or bundle 'nothing'"),
        (2, ["compare", "runs/a"], "two runs or more"),
        (1, ["compare", "a", "b"], "a is no run folder"),
        (2, ["recipes", "show", "nonsense"], "unknown recipe 'nonsense'"),
        (2, ["evaluate"], "Missing argument"),
        (1, ["evaluate", "nothing"], "no run or bundle 'nothing'"),
        (1, ["evaluate", "x.npz", "--quick"], "x.npz does not exist"),
        (2, ["evaluate", "data:mnits"], "unknown data set 'mnits'; did you mean 'mnist'"),
        (2, ["evaluate", "nothing", "--inception"], r"pip install 'inkgan\[inception\]'"),
        (2, ["extractors", "fit", "--epochs", "0"], "--epochs 0 is impossible"),
        (2, ["benchmark", "--minutes", "0"], "--minutes must be more than 0, not 0"),
        (
            2,
            ["benchmark", "--minutes", "3", "--whole"],
            "--whole .*--minutes 3 .*use one",
        ),
        (2, ["benchmark", "--page", "page.html"], r"--page page.html: .*the ending \.md"),
        (1, ["benchmark", "--also", "nothing"], "no run or bundle 'nothing'"),
        (
            2,
            ["benchmark", "--recipes", "mlp,dcgna"],
            "unknown recipe 'dcgna'; did you mean 'dcgan'",
        ),
    ],
)
def test_errors_are_one_line_with_the_way_out(
    code: int, arguments: list[str], words: str, tmp_path: Path
) -> None:
    done = inkgan(*arguments, cwd=tmp_path)
    assert done.code == code, done.stderr
    assert done.stdout == ""
    assert re.search(words, done.stderr)
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("inkgan: ")


def test_debug_shows_the_traceback() -> None:
    for arguments in (["--debug", "recipes", "show", "x"], ["recipes", "show", "x", "--debug"]):
        done = process(*arguments)
        assert "Traceback" in done.stderr
        assert "ConfigError" in done.stderr


def test_train_in_a_pipe_is_quiet_and_plain(trained: Path) -> None:
    work = trained.parents[1]
    done = inkgan("train", "mlp", "--data", "uci-digits", *SMALL, "--out", "second", cwd=work)
    assert done.code == 0
    assert "\x1b" not in done.stderr + done.stdout
    assert "\r" not in done.stderr
    assert "epoch 0.0 0 images" in done.stderr
    assert "distance" in done.stderr
    for written in ("grid.png", "timeline.gif", "curves.png", "generator.safetensors"):
        assert str(Path("second") / written) in done.stdout
        assert (work / "second" / written).is_file()
    assert done.stdout.count("inkgan ") >= 3


def test_the_next_commands_work(trained: Path, tmp_path: Path) -> None:
    """What `train` proposes at the end can be typed as it stands."""
    work = trained.parents[1]
    done = inkgan("train", "--out", "runs/mlp", "--images", "960", cwd=work)
    assert done.code == 0, done.stderr
    assert "continuing from 640 images" in done.stderr
    assert "complete: 960 images" in done.stdout


def proposed(stdout: str) -> list[list[str]]:
    """Return the commands below "Next:", as the shell would split them, without the program."""
    lines = [shlex.split(line) for line in stdout.split("Next:")[1].splitlines() if line.strip()]
    return [words[words.index("inkgan") + 1 :] for words in lines]


def test_what_is_proposed_collides_with_nothing(tmp_path: Path) -> None:
    """Whatever the run is called and whatever is there already."""
    (tmp_path / "runs").mkdir()
    for recipe, out in (("vanilla", "runs/vanilla"), ("mlp", "runs/dcgan"), ("mlp", "my runs/a")):
        done = inkgan("train", recipe, "--data", "uci-digits", *SMALL, "--out", out, cwd=tmp_path)
        assert done.code == 0, done.stderr
        studio, sample, *_, train, compare = proposed(done.stdout)
        assert studio == (
            ["studio"] if Path(out).parent == Path("runs") else ["studio", "--runs", "my runs"]
        )
        assert sample[:2] == ["sample", out]
        assert not (tmp_path / sample[-1]).exists()
        assert train[1] != recipe
        assert not (tmp_path / train[-1]).exists()
        assert compare == ["compare", out, train[-1]]
        assert out != train[-1]
    assert inkgan(*sample, cwd=tmp_path).code == 0
    again = inkgan("train", "--out", out, cwd=tmp_path)
    assert "nothing left to train" in again.stdout
    assert proposed(again.stdout)[1][-1] != sample[-1]


def test_a_run_may_have_the_longest_of_names(tmp_path: Path) -> None:
    name = "y" * 255
    done = inkgan("train", "mlp", "--data", "uci-digits", *SMALL, "--out", name, cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert inkgan(*proposed(done.stdout)[1], cwd=tmp_path).code == 0


def test_a_window_of_metrics_is_told_once(tmp_path: Path) -> None:
    small = ["--images", "1920", "--set", "schedule.batch_size=32", "--sample-interval", "320"]
    done = inkgan("train", "mlp", "--data", "uci-digits", *small, "--out", "a", cwd=tmp_path)
    told = re.findall(r"D [\d.]+ G [\d.]+", done.stderr)
    assert len(told) == 2  # after 50 steps, and at the end after 60
    assert len(re.findall(r"^epoch .* distance", done.stderr, re.MULTILINE)) == 7


def test_an_evaluation_is_proposed_only_where_it_works(tmp_path: Path) -> None:
    """Digits of 12x12 pixels cannot be evaluated, and the other recipe is to use their data."""
    run = ["train", "mlp", "--data", "uci-digits", "--images", "64", "--out", "small"]
    done = inkgan(*run, "--set", "data.size=12", "--set", "data.holdout=0", cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert "evaluate small" not in done.stdout
    assert "train vanilla --data uci-digits" in done.stdout


def test_sample(trained: Path, tmp_path: Path) -> None:
    done = inkgan(
        "sample", "mlp", "--seeds", "0-8", "--out", str(tmp_path / "a.png"), cwd=trained.parents[1]
    )
    assert done.code == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == ((3 * 30 + 2) * 2,) * 2

    run = str(trained)
    assert inkgan("sample", run, "--seeds", "8,0", "--out", str(tmp_path / "b.npz")).code == 0
    assert inkgan("sample", run, "--seeds", "0-8", "--out", str(tmp_path / "c")).code == 0
    with np.load(tmp_path / "b.npz") as arrays:
        assert arrays["seeds"].tolist() == [8, 0]
        with Image.open(tmp_path / "c/seed-000008.png") as picture:
            assert (np.asarray(picture) == arrays["images"][0]).all()

    refused = inkgan("sample", run, "--out", str(tmp_path / "a.png"))
    assert refused.code == 1
    assert "--force" in refused.stderr
    best = inkgan(
        "sample", run, "--checkpoint", "best", "--out", str(tmp_path / "a.png"), "--force"
    )
    assert best.code == 0


def test_recipes_show_can_be_trained(tmp_path: Path) -> None:
    shown = inkgan("recipes", "show", "dcgan-compact", "--set", "optim.lr=1e-3")
    assert from_toml(shown.stdout).optim.lr == 1e-3
    (tmp_path / "mine.toml").write_text(shown.stdout)
    done = inkgan(
        "train", "mine.toml", "--data", "uci-digits", *SMALL, "--out", "mine", cwd=tmp_path
    )
    assert done.code == 0, done.stderr
    listed = inkgan("recipes").stdout
    for name in ("mlp", "vanilla", "dcgan", "dcgan-tutorial", "dcgan-compact"):
        assert name in listed


def test_data_lists_and_finds() -> None:
    assert "kmnist" in inkgan("data").stdout
    done = inkgan("data", "fetch", "uci-digits")
    assert "1,500 images 28x28 gray, 10 classes" in done.stdout


def test_missing_data_list_the_ways_out_and_the_fallback_goes_on(tmp_path: Path) -> None:
    nowhere = {"INKGAN_DATA": str(tmp_path), "INKGAN_OFFLINE": "1", "INKGAN_CACHE": str(tmp_path)}
    done = inkgan("train", "mlp", cwd=tmp_path, **nowhere)
    assert done.code == 1
    assert "--data uci-digits" in done.stderr
    assert done.stderr.count("\n") == 1
    for command in (["data", "fetch", "mnist"], ["evaluate", "flagship", "--quick"]):
        done = inkgan(*command, cwd=tmp_path, **nowhere)
        assert done.code == 1
        assert "--data-dir or INKGAN_DATA" in done.stderr
        assert "uci-digits" not in done.stderr  # these commands have no use for other digits
    done = inkgan("train", "mlp", *SMALL, "--fallback", "uci-digits", cwd=tmp_path, **nowhere)
    assert done.code == 0, done.stderr
    assert "training on uci-digits instead" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_ctrl_c_saves_and_names_the_command_to_go_on(tiny: Recipe, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(to_toml(tiny))
    with subprocess.Popen(
        [sys.executable, "-m", "inkgan", *ENDLESS],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch 1.0"):
                break
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "inkgan train tiny.toml --epochs 100000 --out a" in output
    assert "Traceback" not in errors
    assert (tmp_path / "a/checkpoints/last.safetensors").is_file()
    assert (tmp_path / "a/generator.safetensors").is_file()


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_sigterm_saves_as_ctrl_c_does(tiny: Recipe, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(to_toml(tiny))
    process = PROCESSES.Process(target=child, args=(tmp_path, ENDLESS))
    process.start()
    errors, end = tmp_path / "errors.txt", time.monotonic() + 120
    while not errors.is_file() or "epoch 1.0" not in errors.read_text("utf-8"):
        assert process.is_alive()
        assert time.monotonic() < end
        time.sleep(0.05)
    process.terminate()
    process.join(60)
    assert process.exitcode == 130
    assert "Traceback" not in errors.read_text("utf-8")
    assert (tmp_path / "a/checkpoints/last.safetensors").is_file()
    assert (tmp_path / "a/generator.safetensors").is_file()


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 50)), min_size=1, max_size=5))
def test_seeds_round_trip(ranges: list[tuple[int, int]]) -> None:
    text = ",".join(
        f"{first}-{first + length}" if length else str(first) for first, length in ranges
    )
    expected = [seed for first, length in ranges for seed in range(first, first + length + 1)]
    assert parse_seeds(text) == expected


@given(st.text(max_size=20))
def test_any_text_is_seeds_or_refused(text: str) -> None:
    try:
        assert all(seed >= 0 for seed in parse_seeds(text))
    except ConfigError:
        assert not re.fullmatch(r"\d{1,5}", text, re.ASCII)


@pytest.mark.parametrize(
    "text", ["", "-1", "1-", "a", "3-1", "0-99999999999", "9223372036854775808"]
)
def test_impossible_seeds(text: str) -> None:
    with pytest.raises(ConfigError, match="--seeds"):
        parse_seeds(text)


def test_evaluate_says_what_it_finds(trained: Path, tmp_path: Path, keeps_baselines: None) -> None:
    reference = as_npz(tmp_path / "reference.npz", small_reference())
    options = ("--quick", "--reference", f"npz:{reference}")
    done = inkgan("evaluate", str(trained), *options, COLUMNS="60")
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("- ")
    assert "z" in done.stdout
    assert "baseline" in done.stdout
    assert max(map(len, done.stdout.split("metric")[1].split("Note")[0].splitlines())) <= 60
    assert str(trained / "report.html") in done.stdout
    assert "\x1b" not in done.stderr + done.stdout
    assert "drawing images" in done.stderr
    assert "Evaluated before" in inkgan("evaluate", str(trained), *options).stderr
    again = shutil.copytree(trained, tmp_path / "again")
    shown = inkgan("compare", str(trained), str(again), "--out", str(tmp_path / "c"))
    assert "No significant difference" in shown.stdout


def test_extractors_are_listed_under_their_old_name_too() -> None:
    done = inkgan("extractors")
    old = inkgan("judge")
    assert old.stdout == done.stdout
    assert old.stderr == "note: judge is now extractors; the old name works for now\n"
    assert re.search(r"e1 +239,162 parameters +99\.\d+% of MNIST test +[0-9a-f]{64}", done.stdout)
