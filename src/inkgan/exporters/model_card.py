"""The model card: a README.md with the front matter that the Hugging Face hub reads."""

import json
import re

from inkgan.config import serialize as toml
from inkgan.data.registry import DATASETS
from inkgan.exporters.provenance import UNKNOWN_LICENSE, provenance, score_rows
from inkgan.io.bundle import Bundle
from inkgan.metrics.metric_registry import METRIC_SPECS, known_scores
from inkgan.printable import markdown

TASK = "unconditional-image-generation"  # the hub's nearest task, with labels or without


def model_card(bundle: Bundle, name: str | None, picture: str) -> str:
    """Write the model card of a bundle.

    Args:
        bundle: of the generator.
        name: user/name on the hub; None if the folder is not uploaded.
        picture: file name of a sample grid beside the card.
    """
    parts = (
        _front_matter(bundle),
        _opening(bundle, picture),
        _use(bundle, name),
        _measured(bundle),
        _provenance(bundle),
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
    """Return the scores as the hub's model-index; texts are JSON, which is valid YAML."""
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
    labels = (
        "It is unconditional: it accepts no labels."
        if not model.classes
        else (
            f"It is conditional on the class: {markdown(', '.join(classes[:20]))}"
            f"{' and others' if len(classes) > 20 else ''}."
        )
    )
    style = ""
    if model.style_measures:
        style = (
            f" Its first latent coordinates control the {', '.join(model.style_measures)} of the "
            "stroke, and one latent with all labels gives digits in one handwriting."
        )
    name, data = markdown(bundle.recipe.name), markdown(bundle.recipe.data.name)
    return f"""# {name}

A generative adversarial network that draws \
{bundle.shape} images, trained on {data}. {labels}{style}

![Images drawn by {name}]({picture})
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

generator = inkgan.load("{place}")
images = generator.sample({labels}seeds=[0, 1, 2])  # uint8; the same seeds give the same images
```
"""


def _measured(bundle: Bundle) -> str:
    rows = score_rows(bundle)
    if not rows:
        return ""
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""## Evaluation

Measured by `inkgan evaluate`. The baseline is the score of real images.

| metric | value | real baseline |
|---|---|---|
{lines}
"""


def _provenance(bundle: Bundle) -> str:
    lines = "\n".join(f"- {term}: {markdown(fact)}" for term, fact in provenance(bundle))
    return f"""## Provenance

{lines}

The training images have their own license.
"""


def _recipe(bundle: Bundle) -> str:
    text = toml.to_toml(bundle.recipe).strip()
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))  # notes may have one
    return f"""## Recipe

`inkgan train recipe.toml` trains this generator again:

{fence}toml
{text}
{fence}
"""
