"""Every code block and every command of the documentation runs, at small size, or is parsed.

Pages that other tests run whole are named in ELSEWHERE; what cannot run here in PARSED, with why.
"""

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import inkgan as library
from inkgan.cli.command import Command
from tests.fixtures.command_line import inkgan

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
ELSEWHERE = {
    "README.md": "test_readme.py",
    "cookbook.md": "test_cookbook.py",
    "python.md": "test_python_page.py",
    "extend.md": "tests/test_extension.py",
}
# The beginnings of blocks that are no code of inkgan: set up, shown output, trees, references.
OTHER = (
    "make ",
    "python3 -m venv",
    "pip install 'inkgan[studio]'\ninkgan studio",
    "@software",
    "epoch 1.0 ",
    "src/inkgan/\n",
    "main  ",
    "load  ",
    "cp runs/a/checkpoints/best.safetensors",
    "python -m tests.fuzz",
    "torchrun --nnodes",
)
# Commands and code that are only parsed, and why.
PARSED = {
    "fashion": "needs networks that are fitted to the set first, which takes minutes",
    "--push": "uploads",
    'push="user/name"': "uploads; a test of the hub export stands in for the hub",
    'load("user/name")': "downloads",
    "export hub runs/a folder": "the hub's library writes it in a test of its own",
    "studio": "serves until it is stopped",
    "sweep": "trains many times; tests/sweeps runs it",
    "--stream": "streams a million images; tests/evaluation/test_streamed.py streams fewer",
    'protocol="stream"': "the same",
    "--processes": "trains in several processes; tests/runs/test_torchrun.py does",
    "/shared/": "needs a folder that machines share",
    "s3://": "needs an object store; tests/synthesis/test_packed.py has one",
    "--per-class 10000000": "draws for hours",
    "webdataset.WebDataset": "reads what takes hours to draw; test_packed.py reads less",
    "--logger": "tests/runs/test_loggers.py runs the loggers",
}
SMALLER = (  # commands
    (r"--per-class \d{3,}", "--per-class 3"),
    (r"--test-per-class \d{3,}", "--test-per-class 1"),
    (r"--sequences \d+", "--sequences 4"),
    (r"--test-sequences \d+", "--test-sequences 2"),
    (r"--writers 200", "--writers 2"),
    (r"--device cuda", "--device cpu"),
    (r"--epochs 20", "--epochs 2"),
    (r"--seeds 0-7 --epochs 10", "--seeds 0"),
    (r"--labels 0-9 --count 10", "--labels 3,8 --count 2"),
    (r"\bSOURCE\b", "flagship"),
    (r"^synth (?!.*--(sequences|per-class|texts))(.*)", r"synth \2 --per-class 3"),
    (r"^synth (?=.*--texts)(.*)", r"synth \1 --writers 2"),
    (r"^train (?!.*--epochs)(.*)", r"train \1 --images 256"),
)
SMALLER_CODE = (
    (r'out="runs/mine", overrides', 'out="runs/mine", images=256, overrides'),
    (r"per_class=6000", "per_class=3"),
    (r"(?m)^(inkgan\.evaluate\((?!.*protocol).*?)\)(?=\s+#|$)", r'\1, protocol="quick")'),
    (r"10_000, test=1_000,", "4, test=2, writers=2,"),
)


class Block(NamedTuple):
    """A fenced block: its language and text."""

    language: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(*block) for block in found]


def commands_in(text: str) -> list[str]:
    """Return the commands of a block without the program's name and the remarks."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [re.sub(r"\s+# .*", "", line) for line in joined.splitlines()]
    return [line.removeprefix("inkgan ") for line in lines if line.startswith("inkgan ")]


def is_only_parsed(text: str) -> bool:
    return any(mark in text for mark in PARSED)


def smaller(text: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text


PAGES = [
    page
    for page in DOCUMENTS
    if page.name not in {*ELSEWHERE, "commands.md"}
    and any(not block.text.startswith(OTHER) for block in blocks_of(page))
]


class Upsampling(nn.Module):
    """A generator of one's own: a linear layer to the pixels."""

    def __init__(self, latent_dim: int = 100) -> None:
        super().__init__()
        self.layer = nn.Linear(latent_dim, 784)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        images: torch.Tensor = torch.tanh(self.layer(z.flatten(1))).view(-1, 28, 28)
        return images


def draw(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28)).astype(np.uint8)


def names_for(page: str) -> dict[str, Any]:
    """Return what the code of a page takes as given."""
    if page != "evaluate.md":
        return {}

    def conditional(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        images: torch.Tensor = Upsampling()(z)
        return images * torch.where(y % 2 == 0, 1.0, -1.0)[:, None, None]

    def model(z: np.ndarray) -> np.ndarray:
        return draw(len(z), int(z[0, 0] * 1000) % 997)

    return {"module": Upsampling(), "conditional": conditional, "model": model, "draw": draw}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the runs that pages take as given, a and b."""
    folder = tmp_path_factory.mktemp("given")
    data = f"npz:{_digits(folder / 'digits.npz')}"
    for name, seed in (("a", 0), ("b", 1)):
        library.train(
            "vanilla", out=folder / name, data=data, images=640, seed=seed, progress=False
        )
    return folder


def _digits(path: Path) -> Path:
    labels = np.arange(300) % 10
    np.savez(path, images=library.load("flagship").sample(labels.tolist()), labels=labels)
    return path


def prepare(page: str, runs: Path) -> None:
    """Put what the page takes as given into the working folder."""
    needs: dict[str, Callable[[], object]] = {
        "runs/a": lambda: [shutil.copytree(runs / name, f"runs/{name}") for name in "ab"],
        "digits.npz": lambda: shutil.copy(runs / "digits.npz", "digits.npz"),
        "generator.onnx": lambda: library.export("vanilla", "onnx", "generator.onnx"),
        "lines.txt": lambda: Path("lines.txt").write_text("31.12.2026\n1,299.50\n2026\n358\n"),
        "my_paper/": lambda: _paper(Path("my_paper")),
    }
    text = (ROOT / "docs" / page).read_text("utf-8")
    for name, make in needs.items():
        if name in text and page != "resume.md":
            make()


def _paper(folder: Path) -> None:
    folder.mkdir()
    Image.fromarray(np.full((300, 400), 240, np.uint8)).save(folder / "sheet.png")


@pytest.mark.usefixtures("small_mnist", "keeps_baselines")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(
    page: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    prepare(page.name, runs)
    namespace = names_for(page.name)
    for language, text in blocks_of(page):
        if text.startswith(OTHER):
            continue
        if language == "python":
            code = compile(smaller(text, SMALLER_CODE), page.name, "exec")
            if not is_only_parsed(text):
                exec(code, namespace)
            continue
        commands = commands_in(text)
        assert commands, text  # neither code nor commands: name it in OTHER
        for command in commands:
            if not is_only_parsed(command):
                done = inkgan(*shlex.split(smaller(command, SMALLER)))
                assert done.code == 0, (command, done.stderr)


def mentioned() -> Iterator[tuple[str, str]]:
    """Yield every command in the documents and notebooks, in blocks and in sentences."""
    for page in [*DOCUMENTS, *(ROOT / "notebooks").glob("*.ipynb")]:
        if page.name in ("CHANGELOG.md", "log.md"):  # they name older commands
            continue
        text = page.read_text("utf-8")
        for block in blocks_of(page):
            yield from ((page.name, command) for command in commands_in(block.text))
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for command in re.findall(r"`inkgan ([a-z][^`]*)`", prose):
            yield page.name, " ".join(command.split())


def fault_of(command: str) -> str:
    """Return what the command line objects to, "" if nothing; no command runs."""
    done = inkgan(*shlex.split(command))
    # a sentence may name a command without its arguments
    fragment = re.search("Missing argument|Missing option|requires an argument", done.stderr)
    return "" if fragment or (done.code == 0 and not done.stderr) else done.stderr.strip()


@pytest.fixture
def _no_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Command, "invoke", lambda self, context: 0)


@pytest.mark.usefixtures("_no_command_runs")
def test_every_command_that_a_document_mentions_is_one() -> None:
    commands = sorted(set(mentioned()))
    assert len(commands) > 100
    given = [(page, text) for page, text in commands if "[OPTIONS]" not in text]
    faults = {f"{page}: {text}": fault_of(text) for page, text in given if "..." not in text}
    assert not {command: fault for command, fault in faults.items() if fault}


@pytest.mark.usefixtures("_no_command_runs")
def test_a_wrong_command_would_be_found() -> None:
    for command in (
        "trian vanilla",
        "train vanilla --epoks 3",
        "sample --count many",
        "write 7 --hand 7",
    ):
        assert fault_of(command), command


def test_pages_that_run_elsewhere_run_elsewhere() -> None:
    for name, test in ELSEWHERE.items():
        path = ROOT / test if "/" in test else Path(__file__).parent / test
        assert name in path.read_text("utf-8"), name
