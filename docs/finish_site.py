"""Finishes the built site: search works from the disk too, without scripts and data of docs/.

python docs/finish_site.py [SITE]    # `make docs` does it

A page that is opened from the disk may neither fetch search.json nor start a worker from a file.
The site's own code asks for search.js there, which this writes: the index as a variable, and the
worker as text, which a page may start.
"""

import json
import sys
from pathlib import Path

SEARCH = """var __index = {index};
(() => {{
  const FileWorker = window.Worker;
  const source = new Blob([{worker}], {{ type: "text/javascript" }});
  window.Worker = class extends FileWorker {{
    constructor() {{
      super(URL.createObjectURL(source));
    }}
  }};
}})();
"""


def main(site: Path) -> None:
    """Write search.js, and remove scripts and data."""
    index = (site / "search.json").read_text(encoding="utf-8")
    (worker,) = (site / "assets" / "javascripts" / "workers").glob("search.*.js")
    code = json.dumps(worker.read_text(encoding="utf-8"))
    (site / "search.js").write_text(SEARCH.format(index=index, worker=code), encoding="utf-8")
    for path in (*site.glob("*.py"), *site.glob("*.jsonl")):
        path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
