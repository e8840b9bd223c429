"""EasyOCR: for each split a folder of pictures and labels.csv, as its trainer reads it."""

from pathlib import Path

from inkgan.synthesis.formats.files_of_pictures import Lines, Placed, save_bytes, text_file


def write_easyocr(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write one split; the trainer splits a row at its first comma and takes the rest as text."""
    with text_file(folder / split / "labels.csv") as labels:
        labels.write("filename,words\n")
        for line in lines:
            name = f"{line.index:08d}{line.suffix}"
            save_bytes(folder / split / name, line.image)
            labels.write(f"{name},{line.text}\n")
            yield line, f"{split}/{name}"
