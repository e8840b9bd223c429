"""Runs the notebooks, and renders them as pages of the documentation.

python docs/notebook_pages.py              # writes docs/notebooks/; `make docs` does it
python docs/notebook_pages.py --run NAME   # executes notebooks/NAME.ipynb, stores its outputs
"""

import argparse
import base64
import re
import resource
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "notebooks"
PAGES = Path(__file__).parent / "notebooks"
SHOWN = ("text/html", "image/svg+xml", "image/png", "text/plain")  # the first of an output's kinds
SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png"}


def main() -> None:
    """Render all notebooks, or execute those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", nargs="+", metavar="NAME", default=[], help="execute and store")
    names = parser.parse_args().run
    for name in names:
        run(SOURCES / f"{name}.ipynb")
    if not names:
        render_all()


def run(path: Path) -> None:
    """Execute a notebook in an empty folder; store its outputs and print its CPU seconds."""
    notebook = read(path)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=None, kernel_name="python3", resources=resources)
        client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times of one machine
        if cell.cell_type == "code":
            cell.outputs = _kept(cell.outputs)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{path.name}: {used.ru_utime + used.ru_stime:.0f} CPU seconds")


def _kept(outputs: list[Any]) -> list[Any]:
    """Leave out warnings of one machine and Pillow's second copy of a picture; join streams."""
    kept: list[Any] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
        else:
            output.data.pop("image/jpeg", None)
        kept.append(output)
    return kept


def render_all(sources: Path = SOURCES, pages: Path = PAGES) -> None:
    """Write a page for each notebook, with its pictures and the notebook itself to download."""
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir()
    for path in sorted(sources.glob("*.ipynb")):
        shutil.copy(path, pages)
        (pages / f"{path.stem}.md").write_text(page(path, pages), encoding="utf-8")


def page(path: Path, pages: Path) -> str:
    """Return a notebook as Markdown; its pictures go into the folder `pages`."""
    parts, title = [], ""
    for place, cell in enumerate(read(path).cells):
        if cell.cell_type == "markdown":
            text = re.sub(r"\]\(\.\./docs/", "](../", cell.source)
            parts.append(re.sub(r"`(\w+)\.ipynb`", r"[\1](\1.md)", text))
            headings = re.findall(r"^#+ (.*)", cell.source, re.MULTILINE)
            title = headings[-1] if headings else title
            if place == 0:
                parts.append(
                    f"The notebook with its outputs. [Download it]({path.name}) to run it."
                )
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for number, output in enumerate(cell.outputs):
            name = f"{path.stem}-{place}-{number}"
            parts.append(_output(output, pages / name, re.sub(r"[`\]\[]", "", title)))
    return "\n\n".join(parts) + "\n"


def _output(output: Any, picture: Path, title: str) -> str:
    if output.output_type == "stream":
        return f"````text\n{output.text.rstrip()}\n````"
    kind = next(kind for kind in SHOWN if kind in output.data)
    content = output.data[kind]
    if kind == "text/html":  # on one line, since a blank line would end the block
        return "<div>" + " ".join(content.split("\n")) + "</div>"
    if kind == "text/plain":
        return f"````text\n{content.rstrip()}\n````"
    file = picture.with_suffix(SUFFIXES[kind])
    if kind == "image/png":
        file.write_bytes(base64.b64decode(content))
    else:
        file.write_text(content, encoding="utf-8")
    return f"![{title}]({file.name})"


def read(path: Path) -> Any:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
