"""The model card: a README.md with the front matter that the Hugging Face hub reads."""

import json

from inkgan.config import serialize as toml
from inkgan.data.registry import DATASETS
from inkgan.export.provenance import UNKNOWN_LICENSE, facts, score_rows
from inkgan.io.bundle import Bundle
from inkgan.metrics.spec import METRIC_SPECS, known_scores

TASK = "unconditional-image-generation"  # the hub's nearest, labels or not


def card(bundle: Bundle, name: str | None, picture: str) -> str:
    """Write the card of a bundle.

    Args:
        bundle: of the generator.
        name: user/name under which it will be found; None stands for the folder.
        picture: the name of a grid beside the card.
    """
    parts = (
        _front_matter(bundle),
        _opening(bundle, picture),
        _use(bundle, name),
        _measured(bundle),
        _origin(bundle),
        _recipe(bundle),
    )
    return "\n".join(part for part in parts if part)


def _front_matter(bundle: Bundle) -> str:
    data = bundle.recipe.data.name
    lines = [
        "---",
        f"license: {bundle.license or UNKNOWN_LICENSE}",
        "library_name: inkgan",
        f"pipeline_tag: {TASK}",
        "tags:",
        "- gan",
        "- handwriting",
        "- inkgan",
    ]
    if hub_id := _hub_id(data):
        lines += ["datasets:", f"- {hub_id}"]
    return "\n".join([*lines, *_results(bundle), "---", ""])


def _hub_id(data: str) -> str | None:
    """Return a data set's name on the hub, where it is known."""
    return DATASETS[data].hub_id if data in DATASETS else None


def _results(bundle: Bundle) -> list[str]:
    """List the scores as the hub's index of results; texts are JSON, which YAML contains."""
    scores = list(known_scores(bundle.scores).items())
    if not scores:
        return []
    data = bundle.recipe.data.name
    lines = [
        "model-index:",
        f"- name: {json.dumps(bundle.recipe.name)}",
        "  results:",
        "  - task:",
        f"      type: {TASK}",
        "    dataset:",
        f"      name: {json.dumps(data)}",
        f"      type: {json.dumps(_hub_id(data) or data)}",
        "    metrics:",
    ]
    for key, score in scores:
        lines += [
            f"    - type: {key}",
            f"      name: {json.dumps(METRIC_SPECS[key].title)}",
            f"      value: {score.value!r}",
        ]
    return lines


def _opening(bundle: Bundle, picture: str) -> str:
    model, classes = bundle.recipe.model, bundle.classes
    obeys = (
        "It draws what it likes."
        if not model.classes
        else (
            f"It draws the class that it is told: {', '.join(classes[:20])}"
            f"{' and others' if len(classes) > 20 else ''}."
        )
    )
    taught = ""
    if model.style_measures:
        taught = (
            f" Its first latent coordinates are the {', '.join(model.style_measures)} of a stroke, "
            "and one latent under every label is one hand."
        )
    return f"""# {bundle.recipe.name}

A generative adversarial network that draws \
{bundle.shape} images, trained on {bundle.recipe.data.name}. {obeys}{taught}

![Drawn by {bundle.recipe.name}]({picture})
"""


def _use(bundle: Bundle, name: str | None) -> str:
    place = name or "PATH/OF/THIS/FOLDER"
    extra = "[hub]" if name else ""
    labels = "labels=[3, 1, 4], " if bundle.recipe.model.classes else ""
    return f"""## Use

```
pip install "inkgan{extra}"
```

```python
import inkgan

sampler = inkgan.load("{place}")
images = sampler.sample({labels}seeds=[0, 1, 2])  # uint8, the same for the same seeds
```
"""


def _measured(bundle: Bundle) -> str:
    rows = score_rows(bundle)
    if not rows:
        return ""
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""## Measured

By inkgan's own judge. The floor is what real images score by the same code.

| metric | value | floor |
|---|---|---|
{lines}
"""


def _origin(bundle: Bundle) -> str:
    lines = "\n".join(f"- {term}: {fact}" for term, fact in facts(bundle))
    return f"""## Origin

{lines}

The images that it was trained on have terms of their own.
"""


def _recipe(bundle: Bundle) -> str:
    return f"""## Recipe

`inkgan train recipe.toml` trains it again from this:

```toml
{toml.to_toml(bundle.recipe).strip()}
```
"""
