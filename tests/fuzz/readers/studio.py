"""What the studio reads in the folders of runs, and the pictures that it is sent."""

import json
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from PIL import Image

from inkgan import files
from inkgan.config.serialize import to_toml
from inkgan.studio.api_uploads import FORMATS, check_upload
from inkgan.studio.run_state import JobFile, read_entry
from inkgan.studio.stream import FollowedRun
from tests.fixtures.run_folders import RECIPE
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import mutate_file, mutate_json

PROCESS = {"state": "ended", "reason": "complete", "message": "", "pid": 2**22 + 1} | {
    **{"recorded": 1.5, "images": 64, "total_images": 640},
}
ROW = {"step": 1, "images": 64, "epoch": 0.1, "seconds": 0.5, "d_loss": 0.7, "g_loss": 0.6}


@register
class WatchedRun(Reader):
    """The list of runs: one damaged folder must not hide the others, and starts nothing."""

    name = "watched-run"
    inputs = 100
    documents: ClassVar[dict[str, dict[str, Any]]] = {
        ".live/process.json": PROCESS,
        ".live/control.json": {"wish": "run", "steps": 0},
        ".live/frame.json": {"number": 1, "step": 1, "logits": [0.5]},
        ".live/train-job.json": {"arguments": [], "state": "queued", "queued_at": 1.0},
        "metrics.jsonl": ROW,
    }

    def prepare(self, folder: Path) -> None:
        """Write the files of a run that waits."""
        (folder / "run" / ".live").mkdir(parents=True)
        (folder / "run" / "recipe.toml").write_text(to_toml(RECIPE), encoding="utf-8")
        for name, document in self.documents.items():
            files.write_text(folder / "run" / name, json.dumps(document) + "\n")

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change a value twice as often as bytes, of any file."""
        name = chance.choice(("recipe.toml", *self.documents))
        path = folder / "run" / name
        if chance.random() < 0.33 or name == "recipe.toml":
            return mutate_file(chance, path)
        files.write_text(path, json.dumps(mutate_json(chance, self.documents[name])) + "\n")
        return name

    def read(self, folder: Path) -> Any:
        """Read what the list shows, and what is streamed."""
        run = folder / "run"
        followed = FollowedRun(run)
        followed.refresh()
        shown = json.dumps(read_entry(run).to_dict(), allow_nan=False)
        rows = json.loads(followed.piece(0).rows)
        json.dumps(followed.frame)
        return json.loads(shown), rows, JobFile(run).read()

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """A job of somebody else counts as none; numbers are numbers."""
        entry, rows, job = value
        assert isinstance(entry["images"], int | float)
        assert job == {} or job["arguments"][:2] == ["train", "--out"]
        for row in rows:
            assert all(isinstance(v, int | float | str | None) for v in row.values())


@register
class Upload(FileReader):
    """A picture that is sent: whatever is stored can be opened."""

    name, file = "upload", ""
    inputs = 60

    def prepare(self, folder: Path) -> None:
        """Write a picture in each format."""
        for kind, ending in FORMATS.items():
            Image.new("L", (28, 28), 7).save(folder / f"a.{ending}", kind)

    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage one; it is the only one that is left."""
        chosen = chance.choice(sorted(folder.iterdir()))
        done = mutate_file(chance, chosen)
        chosen.rename(folder / "sent")
        return done

    def read(self, folder: Path) -> str:
        """Check it."""
        sent = folder / "sent"
        return check_upload((sent if sent.exists() else folder / "a.png").read_bytes())

    def check(self, value: str, intact: str, warned: bool) -> None:
        """It has the ending of a known format."""
        assert value in FORMATS.values()
