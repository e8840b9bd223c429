"""The data card: a README.md with the front matter that the Hugging Face hub reads."""

from typing import Any

from inkgan.printable import code, markdown, yaml
from inkgan.synthesis.dedup import MAX_RELATIVE_DISTANCE, RECENT
from inkgan.synthesis.formats.labeled_images import IDX_PREFIXES
from inkgan.synthesis.formats.sequence_formats import SEQUENCE_FORMATS

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
SPLIT_PATHS = {
    "png": "{split}/**",
    "imagefolder": "{split}/**",
    "parquet": "data/{split}-*",
    "webdataset": "{split}-*.tar.gz",
}
PACKED_FILES = {
    "parquet": ("`data/`", "Parquet: image, label, seed, predicted, confidence"),
    "webdataset": (
        "a `.tar.gz` for each file",
        "with arrays of a thousand images: `x.npy`, `y.npy`, `seed.npy`",
    ),
}
MANIFEST_ENTRY = ("`manifest.json`", "how the data set was made, with SHA-256 of its files")
REASONS = {
    "blank": "without ink",
    "confidence": "below the minimum confidence",
    "slant": "outside the slant",
    "thickness": "outside the thickness",
    "copy": "near-copies",
    "not needed": "not needed",
}


def data_card(manifest: Manifest) -> str:
    """Write the card of a data set from its manifest."""
    parts = (
        _front_matter(manifest),
        _opening(manifest),
        _contents(manifest),
        _generation(manifest),
        _measured(manifest),
        _limits(manifest),
    )
    return "\n".join(parts)


def summarize(manifest: Manifest, already: bool) -> str:
    """Say in one line what the data set contains and how many images were drawn for it."""
    before = "Already complete: " if already else ""
    drawn = f"{manifest['drawn']:,} digits drawn, {_rejected(manifest)}."
    accuracy = manifest["measured"]["label_accuracy"]
    agrees = (
        "" if accuracy is None else f" The classifier agrees with {accuracy:.1%} of the labels."
    )
    return f"{before}{_size(manifest)}; {drawn}{agrees}"


def size_category(images: int) -> str:
    """Return the hub's name for a data set of this size."""
    return next(name for bound, name in SIZES if images < bound)


def title(manifest: Manifest) -> str:
    """Return the data set's title."""
    what = "handwriting" if _is_sequences(manifest) else "images"
    return f"Synthetic {manifest['generator']['trained_on']} {what}"


def describe_files(manifest: Manifest) -> list[tuple[str, str]]:
    """List the data set's files and folders as (names, meaning)."""
    kind = _kind(manifest)
    splits = list(manifest["measured"]["digits"])
    if _is_sequences(manifest):
        lines = [
            *SEQUENCE_FORMATS[kind].files,
            ("`writers.csv`", "each writer's split, stroke thickness and slant"),
            ("`preview.png`", "the first sequences"),
        ]
        record = "text, writer, and each character's box and mask (COCO's run lengths)"
        return [*lines, ("`manifest.jsonl`", f"a line for each picture: {record}"), MANIFEST_ENTRY]
    if kind in PACKED_FILES:
        preview = ("`preview.png`", "the first images")
        return [PACKED_FILES[kind], preview, MANIFEST_ENTRY]
    if kind == "idx":
        names = " and ".join(f"`{IDX_PREFIXES[split]}-*`" for split in splits)
        lines = [(names, "IDX files with the names and layout of MNIST")]
    elif kind == "npz":
        names = " and ".join(f"`x_{split}`, `y_{split}`" for split in splits)
        lines = [("`data.npz`", f"{names}, uint8, as in the MNIST of Keras")]
    elif kind == "png":
        lines = [("a folder for each split", "with `metadata.csv`: file_name, label, class, seed")]
    else:
        lines = [("a folder for each class", "with its images")]
    return [
        *lines,
        ("`manifest.jsonl`", "a line for each image: label, seed and the classifier's output"),
        MANIFEST_ENTRY,
    ]


def _front_matter(manifest: Manifest) -> str:
    kind = _kind(manifest)
    lines = [
        "---",
        f"license: {manifest['request']['license']}",
        "task_categories:",
        *(f"- {task}" for task in _tasks(manifest)),
        "size_categories:",
        f"- {size_category(manifest['images'])}",
        "tags:",
        "- synthetic",
        "- handwriting",
        f"pretty_name: {yaml(title(manifest))}",
    ]
    paths = SPLIT_PATHS.get(kind)
    if _is_sequences(manifest):
        paths = SEQUENCE_FORMATS[kind].hub_path
    if paths is not None:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        splits = list(manifest["measured"]["digits"])
        for split in splits:
            path = paths.format(split=split)
            if kind == "imagefolder" and len(splits) == 1:
                path = "*/*.png"
            lines += [f"  - split: {split}", f'    path: "{path}"']
    return "\n".join([*lines, "---", ""])


def _opening(manifest: Manifest) -> str:
    generator = manifest["generator"]
    recipe, data = markdown(generator["recipe"]), markdown(generator["trained_on"])
    return f"""# {markdown(title(manifest))}

{_size(manifest)}, drawn by a generative adversarial network: {recipe} of inkgan \
{manifest["version"]}, trained on {data}. No image was written by a person.
"""


def _size(manifest: Manifest) -> str:
    if _is_sequences(manifest):
        digits = sum(sum(counts.values()) for counts in manifest["measured"]["digits"].values())
        writers = sum(manifest["writers"].values())
        by = "1 writer" if writers == 1 else f"{writers:,} writers"
        return f"{manifest['images']:,} sequences with {digits:,} digits by {by}"
    channels, height, width = manifest["shape"]
    what = f"{height}x{width} {'gray' if channels == 1 else 'color'} images"
    return f"{manifest['images']:,} {what} of {len(manifest['classes'])} classes"


def _contents(manifest: Manifest) -> str:
    """List the files, and the number of images of each class."""
    head = "| split | " + " | ".join(map(markdown, manifest["classes"])) + " |"
    rule = "|---" * (len(manifest["classes"]) + 1) + "|"
    rows = [
        f"| {split} | " + " | ".join(f"{n:,}" for n in counts.values()) + " |"
        for split, counts in manifest["measured"]["digits"].items()
    ]
    described = [f"- {names}: {meaning}." for names, meaning in describe_files(manifest)]
    lines = ["## Contents", "", *described, "", "Images of each class:", "", head, rule, *rows, ""]
    if _is_sequences(manifest):
        lines[lines.index("Images of each class:")] = "Digits of each class:"
    return "\n".join(lines)


def _generation(manifest: Manifest) -> str:
    """Describe the request, the rejected images, and how to draw an image again."""
    generator, request = manifest["generator"], manifest["request"]
    source = "." if generator["conditional"] else ", since the generator accepts none."
    lines = [
        f"- Generator: {code(generator['source'])}, SHA-256 `{generator['sha256']}`, trained for "
        f"{generator['images_seen']:,} images.",
        f"- Labels: {manifest['labels']}{source}",
        f"- Seed: {request['seed']}. {_again(manifest)}",
        *(f"- {line}" for line in _sequences(request["content"], manifest)),
        *(f"- {line}" for line in _criteria(request["criteria"])),
        f"- Drawn: {manifest['drawn']:,} digits, {_rejected(manifest)}.",
    ]
    return "\n".join(["## How it was made", "", *lines, ""])


def _criteria(criteria: Manifest) -> list[str]:
    lines = []
    if criteria["min_confidence"] is not None:
        lines.append(
            "Minimum confidence: the classifier gives each label a probability of at least "
            f"{criteria['min_confidence']}."
        )
    for name, unit in (("slant", "degrees"), ("thickness", "pixels")):
        if criteria[name] is not None:
            low, high = criteria[name]
            lines.append(f"{name.capitalize()}: from {low:g} to {high:g} {unit}.")
    if criteria["dedupe"]:
        lines.append(
            "Deduplication: no two images are equal, and the distance of an image from each of the "
            f"{RECENT:,} images of its class before it exceeds {MAX_RELATIVE_DISTANCE:.0%} of its "
            "own norm, as vectors of pixels."
        )
    return lines


def _rejected(manifest: Manifest) -> str:
    rejected = manifest["rejected"]
    if not rejected:
        return "all kept"
    reasons = ", ".join(f"{count:,} {REASONS.get(why, why)}" for why, count in rejected.items())
    return f"{sum(rejected.values()):,} of them rejected ({reasons})"


def _measured(manifest: Manifest) -> str:
    """List the classifier's accuracy and confidence by class."""
    measured = manifest["measured"]
    if measured["label_accuracy"] is None:
        return (
            "## Label quality\n\nNot measured: inkgan's classifier reads only digits of 28x28 "
            "gray.\n"
        )
    lines = [
        "## Label quality",
        "",
        f"A classifier trained on MNIST (SHA-256 `{manifest['classifier'][:16]}...`) agrees with "
        f"{measured['label_accuracy']:.2%} of the labels and gives them a mean probability of "
        f"{measured['confidence']:.4f}.",
        "",
        "| class | label accuracy | mean probability of the label |",
        "|---|---|---|",
        *(
            f"| {markdown(name)} | {row['label_accuracy']:.2%} | {row['confidence']:.4f} |"
            for name, row in measured["classes"].items()
        ),
        "",
    ]
    return "\n".join(lines)


def _limits(manifest: Manifest) -> str:
    """State what such data should not be used for."""
    lines = [
        "- Generated images usually vary less than real ones; `inkgan evaluate` measures how much.",
        "- Some images may resemble single training images; `inkgan evaluate` reports copies.",
    ]
    if not manifest["generator"]["conditional"]:
        lines.append("- The labels are a classifier's predictions and repeat its errors.")
    if manifest["request"]["criteria"]["min_confidence"] is not None:
        lines.append("- Hard cases are missing: ambiguous images were left out.")
    return "\n".join(["## Limits", "", *lines, ""])


def _again(manifest: Manifest) -> str:
    """Say how to draw the same again."""
    if not _is_sequences(manifest):
        where = "Each image has its generator seed beside it"
        if _kind(manifest) not in PACKED_FILES:
            where = "The manifest records a generator seed for each image"
        return f"{where}: with the label, it draws the same image again."
    if isinstance(manifest["request"]["content"]["writers"], list):
        return "The handwritings imitate those of given pictures."
    return "A writer's name is the `hand` that `inkgan.write` takes for the same handwriting."


def _sequences(content: Manifest, manifest: Manifest) -> list[str]:
    """Describe texts, writers and layout of sequences."""
    if not _is_sequences(manifest):
        return []
    layout = content["layout"]
    texts = "random digits"
    if content["texts"] is not None:
        texts = f"{content['texts']['count']:,} given texts, each used equally often"
    elif content["pattern"]:
        texts = "the patterns " + ", ".join(map(code, content["pattern"]))
    splits = " and ".join(f"{n:,} for {split}" for split, n in manifest["writers"].items())
    return [
        f"Texts: {texts}.",
        f"Writers: {splits}; no two splits have one in common.",
        f"Layout: of the pairs of neighboring digits, {layout['touching']:.0%} touch and "
        f"{layout['overlapping']:.0%} overlap; the line leans by {layout['tilt'][0]:g} to "
        f"{layout['tilt'][1]:g} degrees.",
        _describe_paper(content["paper"]),
    ]


def _describe_paper(paper: Manifest) -> str:
    if paper["preset"] == "clean":
        return "Paper: clean, black on white."
    folder = paper["backgrounds"]
    kinds = f"{folder['count']:,} images" if folder else ", ".join(paper["kinds"])
    return f"Paper: {paper['preset']} of strength {paper['strength']:g}; {kinds}."


def _tasks(manifest: Manifest) -> tuple[str, ...]:
    if not _is_sequences(manifest):
        return ("image-classification",)
    detection = SEQUENCE_FORMATS[_kind(manifest)].detection
    return ("object-detection", "image-to-text") if detection else ("image-to-text",)


def _is_sequences(manifest: Manifest) -> bool:
    return bool(manifest["request"]["content"]["kind"] == "sequences")


def _kind(manifest: Manifest) -> str:
    """Return the format."""
    return str(manifest["request"]["content"]["format"])
