"""PaddleOCR: for each split a folder of pictures and a text file of paths and labels.

Lines of train.txt are a path, a tab and the text, as `SimpleDataSet` reads them.
"""

from pathlib import Path

from inkgan.synthesis.formats.files_of_pictures import (
    Lines,
    Placed,
    numbered,
    save_bytes,
    text_file,
)

CHARACTERS = "characters.txt"
POSSIBLE = " ,-./0123456789:"


def write_paddleocr(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write one split."""
    with text_file(folder / f"{split}.txt") as labels:
        for line in lines:
            file = f"{split}/{numbered(line.index)}{line.suffix}"
            save_bytes(folder / file, line.image)
            labels.write(f"{file}\t{line.text}\n")
            yield line, file


def write_characters(folder: Path, splits: list[str]) -> None:
    """Write the dictionary that `character_dict_path` names; `use_space_char` adds the space."""
    with text_file(folder / CHARACTERS) as stream:
        stream.writelines(f"{character}\n" for character in POSSIBLE.strip())
