"""The data card: a README.md with the front matter that the Hugging Face hub reads."""

from typing import Any

from inkgan.synthesis.dedup import NEAR, RECENT
from inkgan.synthesis.formats.digits import IDX_PREFIXES

Manifest = dict[str, Any]
SIZES = (
    (1e3, "n<1K"),
    (1e4, "1K<n<10K"),
    (1e5, "10K<n<100K"),
    (1e6, "100K<n<1M"),
    (1e7, "1M<n<10M"),
    (1e8, "10M<n<100M"),
    (1e9, "100M<n<1B"),
)
SPLIT_PATHS = {"png": "{split}/**", "imagefolder": "{split}/**", "strings": "images/**"}


def card(manifest: Manifest) -> str:
    """Write the card of a data set from its manifest."""
    parts = (
        _front_matter(manifest),
        _opening(manifest),
        _contents(manifest),
        _made(manifest),
        _measured(manifest),
        _limits(manifest),
    )
    return "\n".join(part for part in parts if part)


def summary(manifest: Manifest, already: bool) -> str:
    """Say in two sentences what there is and what it cost."""
    begun = "There already: " if already else ""
    drawn = f"{manifest['drawn']:,} digits drawn{_rejected(manifest)}."
    agreement = manifest["measured"]["agreement"]
    read = "" if agreement is None else f" The judge reads {agreement:.1%} as labelled."
    return f"{begun}{_size(manifest)}; {drawn}{read}"


def size_category(images: int) -> str:
    """Return the hub's name for a data set of this size."""
    return next(name for bound, name in SIZES if images < bound)


def _front_matter(manifest: Manifest) -> str:
    kind = _kind(manifest)
    tasks = ["object-detection", "image-to-text"] if kind == "strings" else ["image-classification"]
    lines = [
        "---",
        f"license: {manifest['request']['license']}",
        "task_categories:",
        *(f"- {task}" for task in tasks),
        "size_categories:",
        f"- {size_category(manifest['images'])}",
        "tags:",
        "- synthetic",
        "- handwriting",
        f"pretty_name: {_title(manifest)}",
    ]
    if kind in SPLIT_PATHS:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        splits = list(manifest["measured"]["digits"])
        for split in splits:
            path = SPLIT_PATHS[kind].format(split=split)
            if kind == "imagefolder" and len(splits) == 1:
                path = "*/*.png"
            lines += [f"  - split: {split}", f'    path: "{path}"']
    return "\n".join([*lines, "---", ""])


def _opening(manifest: Manifest) -> str:
    generator = manifest["generator"]
    return f"""# {_title(manifest)}

{_size(manifest)}, drawn by a generative adversarial network, `{generator["recipe"]}` of inkgan \
{manifest["version"]}, which was trained on {generator["trained_on"]}. No image here was written \
by a hand.
"""


def _size(manifest: Manifest) -> str:
    channels, height, width = manifest["shape"]
    what = f"{height}x{width} {'grey' if channels == 1 else 'colour'} images"
    if _kind(manifest) == "strings":
        digits = sum(manifest["measured"]["digits"]["train"].values())
        return f"{manifest['images']:,} strings of {digits:,} digits in all"
    return f"{manifest['images']:,} {what} of {len(manifest['classes'])} classes"


def _contents(manifest: Manifest) -> str:
    """List the files, and how many images of each class they hold."""
    counts = manifest["measured"]["digits"]
    head = "| split | " + " | ".join(manifest["classes"]) + " |"
    rule = "|---" * (len(manifest["classes"]) + 1) + "|"
    rows = [
        f"| {split} | " + " | ".join(f"{n:,}" for n in of.values()) + " |"
        for split, of in counts.items()
    ]
    described = _files(manifest)
    return "\n".join(
        [
            "## Contents",
            "",
            *described,
            "",
            "How often each class appears:",
            "",
            head,
            rule,
            *rows,
            "",
        ]
    )


def _files(manifest: Manifest) -> list[str]:
    records = "- `manifest.jsonl`: a line for each image, with label, seed and what the judge says;"
    whole = "`manifest.json`: how all of it was made, with SHA-256."
    kind = _kind(manifest)
    if kind == "strings":
        lines = [
            "- `images/`: the pictures; `images/metadata.jsonl` their numbers as text.",
            "- `annotations.json`: boxes for COCO; category `digit + 1`, named by the digit.",
            "- `labels/`: boxes for YOLO, a file for each picture; the class is the digit.",
        ]
    elif kind == "idx":
        prefixes = [f"`{IDX_PREFIXES[split]}-*`" for split in manifest["measured"]["digits"]]
        lines = [f"- {' and '.join(prefixes)}: IDX files, named and laid out as MNIST's."]
    elif kind == "npz":
        names = [f"`x_{s}`, `y_{s}`" for s in manifest["measured"]["digits"]]
        lines = [f"- `data.npz`: {' and '.join(names)}, uint8, as Keras' MNIST."]
    elif kind == "png":
        lines = ["- a folder for each split, and in it `metadata.csv`: file_name, label, class."]
    else:
        lines = ["- a folder for each class, named by it."]
    return [*lines, records, f"  {whole}"]


def _made(manifest: Manifest) -> str:
    """Tell what was asked for, what was tried, and how to draw an image again."""
    generator, request = manifest["generator"], manifest["request"]
    lines = [
        f"- Generator: `{generator['source']}`, SHA-256 `{generator['sha256']}`, "
        f"{generator['images_seen']:,} training images seen.",
        f"- Labels: {manifest['labels']}"
        + ("." if generator["conditional"] else ": the generator takes none."),
        f"- Seed {request['seed']}. Each image has a sampler seed of its own in the manifest: with "
        "the label, it draws that image again.",
        *(f"- {line}" for line in _criteria(request["criteria"])),
        f"- {manifest['drawn']:,} digits were drawn" + _rejected(manifest) + ".",
    ]
    return "\n".join(["## How it was made", "", *lines, ""])


def _criteria(criteria: Manifest) -> list[str]:
    lines = []
    if criteria["min_confidence"] is not None:
        least = criteria["min_confidence"]
        lines.append(
            f"Kept only where the judge gives the label a probability of at least {least}."
        )
    for name, unit in (("slant", "degrees"), ("thickness", "pixels")):
        if criteria[name] is not None:
            low, high = criteria[name]
            lines.append(f"Kept only with a {name} from {low:g} to {high:g} {unit}.")
    if criteria["dedupe"]:
        lines.append(
            f"No image is nearer than {NEAR:.0%} of its own length, as a vector of pixels, to one "
            f"of the {RECENT:,} images of its class before it, and no two are equal."
        )
    return lines


def _rejected(manifest: Manifest) -> str:
    """Say what was not kept; the manifest's words for it are the criteria's names."""
    rejected = manifest["rejected"]
    if not rejected:
        return " and all kept"
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in rejected.items())
    return f", and {sum(rejected.values()):,} of them rejected ({reasons})"


def _measured(manifest: Manifest) -> str:
    """Lay out what the judge reads, by class."""
    measured = manifest["measured"]
    if measured["agreement"] is None:
        return "## What was measured\n\nNothing: inkgan's judge reads digits of 28x28 grey alone.\n"
    lines = [
        "## What was measured",
        "",
        f"A classifier trained on MNIST (inkgan's judge, SHA-256 `{manifest['judge'][:16]}...`) "
        f"reads {measured['agreement']:.2%} of the digits as labelled and gives their label a mean "
        f"probability of {measured['confidence']:.4f}.",
        "",
        "| class | read as labelled | mean probability |",
        "|---|---|---|",
        *(
            f"| {name} | {row['agreement']:.2%} | {row['confidence']:.4f} |"
            for name, row in measured["classes"].items()
        ),
        "",
    ]
    return "\n".join(lines)


def _limits(manifest: Manifest) -> str:
    """Warn of what such data cannot be used for."""
    lines = [
        "- Generated images tend to vary less than real ones; `inkgan evaluate` measures how much.",
        "- Some may resemble single training images; `inkgan evaluate` reports copies.",
    ]
    if not manifest["generator"]["conditional"]:
        lines.append("- The labels are a classifier's readings, so they repeat its mistakes.")
    criteria = manifest["request"]["criteria"]
    if criteria["min_confidence"] is not None:
        lines.append("- Hard cases are missing: images that the judge doubts were left out.")
    return "\n".join(["## Limits", "", *lines, ""])


def _kind(manifest: Manifest) -> str:
    content = manifest["request"]["content"]
    return str("strings" if content["kind"] == "strings" else content["format"])


def _title(manifest: Manifest) -> str:
    what = "number strings" if _kind(manifest) == "strings" else "images"
    return f"Synthetic {manifest['generator']['trained_on']} {what}"
