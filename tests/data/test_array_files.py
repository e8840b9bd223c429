"""Images in .npy files and in tables."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from inkgan.data.readers.array_files import read_csv, read_npy
from inkgan.errors import DataError, DataFormatError
from tests.fixtures.references import small_reference

COUNT = 30


def _table(rows: np.ndarray, header: list[str] | None, delimiter: str = ",") -> str:
    lines = [] if header is None else [delimiter.join(header)]
    return "\n".join(lines + [delimiter.join(map(str, row)) for row in rows.tolist()]) + "\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
@pytest.mark.parametrize("headed", [True, False])
def test_tables_with_a_label_first(tmp_path: Path, delimiter: str, headed: bool) -> None:
    digits, labels = small_reference().train[:COUNT], small_reference().train_labels[:COUNT]
    rows = np.c_[labels, digits.reshape(COUNT, -1)]
    header = ["label", *(f"pixel{place}" for place in range(784))] if headed else None
    path = tmp_path / "train.csv"
    path.write_text("\ufeff" + _table(rows, header, delimiter), encoding="utf-8")
    found = read_csv(path)
    assert np.array_equal(found.images[..., 0], digits)
    assert found.labels is not None
    assert np.array_equal(found.labels, labels)


def test_tables_with_a_class_last_or_no_label(tmp_path: Path) -> None:
    digits, labels = small_reference().train[:COUNT], small_reference().train_labels[:COUNT]
    flat = digits.reshape(COUNT, -1)
    names = [f"pixel{place}" for place in range(784)]
    last = tmp_path / "last.csv.gz"
    last.write_bytes(gzip.compress(_table(np.c_[flat, labels], [*names, "Class"]).encode()))
    found = read_csv(last)
    assert found.labels is not None
    assert np.array_equal(found.labels, labels)
    assert np.array_equal(found.images[..., 0], digits)
    (tmp_path / "test.csv").write_text(_table(flat, names), encoding="utf-8")
    assert read_csv(tmp_path / "test.csv").labels is None


def test_tables_without_names_and_a_label_last(tmp_path: Path) -> None:
    digits, labels = small_reference().train[:COUNT], small_reference().train_labels[:COUNT]
    flat = digits.reshape(COUNT, -1)
    for name, header in (("none.csv", None), ("pandas.csv", [str(place) for place in range(785)])):
        (tmp_path / name).write_text(_table(np.c_[flat, labels], header), encoding="utf-8")
        found = read_csv(tmp_path / name)
        assert np.array_equal(found.images[..., 0], digits)
        assert found.labels is not None
        assert np.array_equal(found.labels, labels)
        assert found.notes[0] == "No column has a name: the last one is read as labels."
    busy = flat.copy()
    busy[:, -1] = np.arange(COUNT)  # a last pixel that varies as labels do
    (tmp_path / "busy.csv").write_text(_table(np.c_[labels, busy], None), encoding="utf-8")
    found = read_csv(tmp_path / "busy.csv")
    assert found.labels is not None
    assert np.array_equal(found.labels, labels)
    assert "the last one may hold them" in found.notes[0]


@pytest.mark.parametrize("missing", [-700, -1, 1])
def test_a_header_that_does_not_fit_its_rows_is_refused(missing: int, tmp_path: Path) -> None:
    """Else another column would be read as labels."""
    digits = small_reference().train[:COUNT].reshape(COUNT, -1)
    names = [*(f"pixel{place}" for place in range(784 - missing)), "label"]
    path = tmp_path / "train.csv"
    path.write_text(_table(np.c_[digits, np.zeros(COUNT, int)], names), encoding="utf-8")
    with pytest.raises(DataFormatError, match=r"its first line names [\d,]+ columns, but its rows"):
        read_csv(path)
    names = [*(f"pixel{place}" for place in range(784)), "label", "", ""]  # of a spreadsheet
    path.write_text(_table(np.c_[digits, np.zeros(COUNT, int)], names), encoding="utf-8")
    assert read_csv(path).labels is not None


def test_tables_of_emnist_are_turned_upright(tmp_path: Path) -> None:
    """As Kaggle has them: no names, the label first, pixels column by column."""
    digits, labels = small_reference().train[:COUNT], small_reference().train_labels[:COUNT]
    rows = np.c_[labels, digits.transpose(0, 2, 1).reshape(COUNT, -1)]
    path = tmp_path / "emnist-digits-train.csv"
    path.write_text(_table(rows, None), encoding="utf-8")
    found = read_csv(path)
    assert np.array_equal(found.images[..., 0], digits)
    assert found.notes[-1] == "Images of EMNIST are stored on their side: turned upright."


def test_arrays_in_files(tmp_path: Path) -> None:
    digits = small_reference().train[:COUNT]
    np.save(tmp_path / "x.npy", (digits / 255).reshape(COUNT, -1))
    found = read_npy(tmp_path / "x.npy")
    assert np.array_equal(found.images[..., 0], digits)
    assert len(found.notes) == 2


def test_what_is_no_array_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("name,city\nAnna,Oslo\n", encoding="utf-8")
    (tmp_path / "ragged.csv").write_text("1,2,3\n1,2\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)))
    (tmp_path / "three.csv").write_text("1,2,3\n4,5,6\n", encoding="utf-8")
    for name in ("words.csv", "ragged.csv", "empty.csv", "bytes.csv", "three.csv", "none.csv"):
        with pytest.raises(DataError, match=name):
            read_csv(tmp_path / name)
    (tmp_path / "text.npy").write_text("hello", encoding="utf-8")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "zip.npz", a=np.zeros(3))
    (tmp_path / "zip.npz").rename(tmp_path / "zip.npy")
    for name in ("text.npy", "objects.npy", "zip.npy", "none.npy"):
        with pytest.raises(DataError, match=name):
            read_npy(tmp_path / name)
