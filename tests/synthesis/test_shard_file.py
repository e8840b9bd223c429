"""The npz files that a data set is composed from."""

from pathlib import Path

import numpy as np
import pytest

from inkgan.errors import ArtifactError
from inkgan.synthesis.shard_file import ArrayType, load_arrays


def test_a_flipped_bit_that_calls_an_entry_encrypted_is_damage(tmp_path: Path) -> None:
    path, schema = tmp_path / "shard.npz", {"labels": ArrayType("int64", ("n",))}
    np.savez(path, labels=np.arange(3))
    assert load_arrays(path, schema)["labels"].tolist() == [0, 1, 2]
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # of the entry, of the directory
        data[data.index(signature) + flags] |= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match=r"shard.npz is damaged \(File .* is encrypted"):
        load_arrays(path, schema)
