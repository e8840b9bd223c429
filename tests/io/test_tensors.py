"""Checksums and schemas of bundles: whatever has changed is refused, with the file's name."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from inkgan.errors import ArtifactError, InkganError
from inkgan.io import tensors as tensor_files
from inkgan.io.bundle import Bundle, MeasuredScore, load_bundle
from tests.fixtures.bundles import small_bundle

Document = dict[str, Any]
Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    scores = {"fd_e1": MeasuredScore(2.5, 1.25), "best_e3_distance": MeasuredScore(3.5)}
    return dataclasses.replace(small_bundle(), scores=scores, license="mit")


@pytest.fixture
def path(bundle: Bundle, tmp_path: Path) -> Path:
    bundle.save(tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def parts(path: Path) -> tuple[Tensors, Document]:
    tensors, document = tensor_files.read(path, "bundle")
    return tensors, {"kind": "bundle", **document}


def test_the_checksum_is_of_document_and_tensors() -> None:
    tensors = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(True)}
    known = tensor_files.checksum("{}", tensors)
    assert known == tensor_files.checksum("{}", dict(reversed(tensors.items())))
    others: list[tuple[str, Tensors]] = [
        ("{ }", tensors),
        ("{}", {**tensors, "b": tensors["b"].reshape(3, 2)}),
        ("{}", {**tensors, "b": tensors["b"].view(torch.int32)}),
        ("{}", {"c": tensors["b"], "a": tensors["a"]}),
        ("{}", {**tensors, "c": torch.zeros(0)}),
        ("{}", {**tensors, "b": tensors["b"] * -1}),
    ]
    assert len({known, *(tensor_files.checksum(*other) for other in others)}) == 7


def test_every_flipped_bit_of_the_weights_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    for at in range(begin, len(content), (len(content) - begin) // 60):
        damaged = bytearray(content)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        with pytest.raises(ArtifactError, match=r"a\.safetensors is damaged: .* checksum"):
            load_bundle(path)


def test_equal_contents_make_equal_files(path: Path, bundle: Bundle) -> None:
    for _ in range(8):
        again = path.with_name("b.safetensors")
        bundle.save(again)
        assert again.read_bytes() == path.read_bytes()


def test_a_checksum_cannot_be_left_out(path: Path) -> None:
    with safe_open(path, framework="pt") as opened:
        signed = opened.metadata()[tensor_files.KEY]
    text = tensor_files.CHECKSUM.sub("}", signed)
    assert text != signed
    save_file(parts(path)[0], path, metadata={tensor_files.KEY: text})
    with pytest.raises(ArtifactError, match="checksum is missing"):
        load_bundle(path)


def test_a_key_that_comes_twice_is_refused(path: Path) -> None:
    tensors, document = parts(path)
    text = f'{json.dumps({"format": 2, **document})[:-1]}, "license": "other"}}'
    signed = f'{text[:-1]}, "sha256": "{tensor_files.checksum(text, tensors)}"}}'
    save_file(tensors, path, metadata={tensor_files.KEY: signed})
    with pytest.raises(ArtifactError, match=r"a\.safetensors is damaged: .* 'license' twice"):
        load_bundle(path)


@pytest.mark.parametrize(("version", "words"), [(3, "upgrade inkgan"), (0, "is 0"), ("2", "'2'")])
def test_formats_of_the_future_are_refused(path: Path, version: object, words: str) -> None:
    tensors, document = parts(path)
    tensor_files.write(path, tensors, {**document, "format": version})
    with pytest.raises(ArtifactError, match=words):
        load_bundle(path)


def test_bundles_of_0_1_0_have_no_checksum_and_are_read(path: Path, bundle: Bundle) -> None:
    tensors, document = parts(path)
    document["scores"] = {"fd_e1": [2.5, 1.25], "best_e3_distance": 3.5}
    save_file(tensors, path, metadata={tensor_files.KEY: json.dumps(document)})
    loaded = load_bundle(path)
    assert (loaded.digest, loaded.scores) == (bundle.digest, bundle.scores)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("classes"), "it has no classes"),
        (lambda d: d.update(classes=list("012")), "has 10 classes, and 3 have a name"),
        (lambda d: d.update(extra=1), "unknown field extra"),
        (lambda d: d.update(shape=[1, 12, 12.0]), "shape.2 = 12.0"),
        (lambda d: d.update(shape=[1, 12]), "shape = "),
        (lambda d: d.update(shape=[1, 10**9, 12]), "less than or equal to 4096"),
        (lambda d: d.update(shape=[1, 4096, 4096]), "bytes for one layer of 64 images"),
        (lambda d: d.update(shape=[3, 12, 12]), "the weights do not fit the recipe"),
        (lambda d: d.update(images_seen=-1), "images_seen = -1"),
        (lambda d: d.update(images_seen=True), "images_seen = True"),
        (lambda d: d.update(license="<b>"), "license = '<b>'"),
        (lambda d: d.update(scores={"fd_e1": [1]}), "scores.fd_e1 = [1.0]"),
        (lambda d: d.update(scores={"fd_e1": ["1", None]}), "scores.fd_e1"),
        (lambda d: d.update(scores=[]), "scores = []"),
        (lambda d: d["recipe"]["model"].update(latent_dim=8), "the weights do not fit the recipe"),
        (lambda d: d["recipe"].update(model=1), "`model` = 1"),
    ],
)
def test_a_strange_document_is_refused(
    path: Path, change: Callable[[Document], object], message: str
) -> None:
    tensors, document = parts(path)
    change(document)
    tensor_files.write(path, tensors, document)
    with pytest.raises(InkganError) as caught:
        load_bundle(path).generator()
    assert message in str(caught.value)
    assert "a.safetensors" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.fill_(float("nan")), "is not finite everywhere"),
        (lambda t: t.view(-1)[:1].fill_(float("inf")), "is not finite everywhere"),
        (lambda t: t.double(), r"is float64 \(\d.*\); its network needs float32"),
        (lambda t: t.to(torch.int64), r"is int64 \(\d.*\); its network needs float32"),
        (lambda t: t[None].clone(), r"is float32 \(1, \d.*\); its network needs float32 \(\d"),
        (lambda t: None, "is missing"),
    ],
)
def test_strange_weights_are_neither_written_nor_read(
    bundle: Bundle,
    path: Path,
    change: Callable[[torch.Tensor], torch.Tensor | None],
    message: str,
) -> None:
    name = next(key for key, tensor in bundle.weights.items() if tensor.ndim > 1)
    changed = change(bundle.weights[name].clone())
    weights = {key: tensor for key, tensor in bundle.weights.items() if key != name}
    if changed is not None:
        weights[name] = changed
    with pytest.raises(ArtifactError, match=message):
        dataclasses.replace(bundle, weights=weights).save(path.with_name("b.safetensors"))
    tensor_files.write(path, weights, parts(path)[1])
    with pytest.raises(ArtifactError, match=rf"a\.safetensors.*{message}"):
        load_bundle(path).generator()


def test_nothing_is_written_that_could_not_be_read(bundle: Bundle, tmp_path: Path) -> None:
    for change in ({"images_seen": -1}, {"scores": {"fd_e1": MeasuredScore(float("nan"))}}):
        with pytest.raises(ArtifactError, match=r"a\.safetensors cannot be written: "):
            dataclasses.replace(bundle, **change).save(tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())
