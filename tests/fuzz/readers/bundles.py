"""Bundles: damaged bytes, and documents and weights that were changed and signed again."""

from pathlib import Path
from random import Random
from typing import Any

import torch

from inkgan.generation.generator import Generator
from inkgan.io import tensors as tensor_files
from inkgan.io.bundle import Bundle, load_bundle
from tests.fixtures.bundles import small_bundle
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import mutate_json

FILE = "a.safetensors"


@register
class DamagedBundle(FileReader):
    """Any change of a bundle's bytes is refused, or changes nothing."""

    name, file = "bundle", FILE

    def prepare(self, folder: Path) -> None:
        """Write a small one."""
        small_bundle("mlp", "concat").save(folder / FILE)

    def read(self, folder: Path) -> Any:
        """Load it."""
        bundle = load_bundle(folder / FILE)
        return bundle.digest, bundle.document()


@register
class ForgedBundle(Reader):
    """A document or tensors with strange values and the right checksum."""

    name = "forged-bundle"

    def prepare(self, folder: Path) -> None:
        """Write a small one."""
        small_bundle("dcgan", "conditional-bn").save(folder / FILE)

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change the document or the tensors, and write them with their checksum."""
        tensors, document = tensor_files.read(folder / FILE, "bundle")
        if chance.random() < 0.7:
            changed = mutate_json(chance, document)
            document = changed if isinstance(changed, dict) else {"recipe": changed}
            done = "document"
        else:
            done = change_tensor(chance, tensors)
        tensor_files.write(folder / FILE, tensors, {"kind": "bundle", **document})
        return done

    def read(self, folder: Path) -> Bundle:
        """Load it and draw."""
        bundle = load_bundle(folder / FILE)
        Generator(bundle).sample(seeds=[0])
        return bundle

    def check(self, value: Bundle, intact: Bundle, warned: bool) -> None:
        """It may be another bundle, but not change when it is written and read."""
        saved = Path(value.source).with_name("again.safetensors")
        value.save(saved)
        again = load_bundle(saved)
        assert (again.digest, again.document()) == (value.digest, value.document())


def change_tensor(chance: Random, tensors: dict[str, torch.Tensor]) -> str:
    """Change one tensor's values, type, shape or name; return what was done."""
    name = chance.choice(sorted(tensors))
    tensor = tensors.pop(name)
    act = chance.choice(("nan", "inf", "double", "int", "shape", "scalar", "gone", "name", "more"))
    if act in ("nan", "inf") and tensor.is_floating_point():
        tensor = tensor.clone()
        tensor.view(-1)[chance.randrange(tensor.numel())] = float(act)
    changes: dict[str, Any] = {
        "double": tensor.double,
        "int": lambda: tensor.to(torch.int32),
        "shape": lambda: tensor[None].clone(),
        "scalar": lambda: tensor.reshape(-1)[0].clone(),
    }
    if act != "gone":
        tensors[f"{name}x" if act == "name" else name] = changes.get(act, lambda: tensor)()
    if act == "more":
        tensors[f"{name}.more"] = tensor.clone()
    return f"{name}: {act}"
