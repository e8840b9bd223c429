"""ONNX files that an evaluation draws with: damaged bytes, and models that are no generators."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import numpy as np
import onnx
from onnx import TensorProto, helper

from inkgan.evaluation import onnx_process
from inkgan.evaluation.onnx_generator import open_onnx
from inkgan.evaluation.outside_generators import LatentOptions
from inkgan.types import silent
from tests.fuzz.harness import FileReader, register

COUNT, SIDE, LATENTS = 6, 8, 3
SECONDS = 5  # that a batch may take here


def small_model() -> onnx.ModelProto:
    """Return a conditional generator of 8x8 images."""
    chance = np.random.default_rng(0)
    weights = chance.normal(size=(LATENTS, SIDE * SIDE)).astype(np.float32)
    levels = np.linspace(-1, 1, 10, dtype=np.float32)[:, None]
    constants = [
        helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel()),
        helper.make_tensor("levels", TensorProto.FLOAT, levels.shape, levels.ravel()),
    ]
    nodes = [
        helper.make_node("MatMul", ["z", "weights"], ["dense"]),
        helper.make_node("Gather", ["levels", "y"], ["level"]),
        helper.make_node("Add", ["dense", "level"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["image"]),
    ]
    given = [
        helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", LATENTS]),
        helper.make_tensor_value_info("y", TensorProto.INT64, ["n"]),
    ]
    made = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", SIDE * SIDE])
    graph = helper.make_graph(nodes, "g", given, [made], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="inkgan.classes", value=str(list("0123456789")).replace("'", '"'))
    return model


@register
class DamagedOnnx(FileReader):
    """Its weights have no checksum, so what is accepted may draw other images, but images."""

    name, file = "onnx", "g.onnx"
    inputs = 8
    seconds = 4.0 * SECONDS

    def prepare(self, folder: Path) -> None:
        """Write it."""
        onnx.save(small_model(), folder / self.file)

    def read(self, folder: Path) -> Any:
        """Draw as an evaluation does."""
        with mock.patch.object(onnx_process, "RUN_SECONDS", SECONDS):
            outside = open_onnx(folder / self.file, LatentOptions())
            labels = np.arange(COUNT) % 10 if outside.conditional else None
            return outside.draw(COUNT, labels, silent)

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """There are as many images as were requested, each with its label."""
        assert value.images.dtype == np.uint8
        assert value.images.ndim == 4
        assert len(value.images) == COUNT
        assert value.labels is None or len(value.labels) == COUNT


@register
class ForgedOnnx(DamagedOnnx):
    """A well-formed file with another graph."""

    name = "forged-onnx"

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change the graph in one or two ways."""
        model = onnx.load(folder / self.file)
        changes = [chance.choice(CHANGES) for _ in range(chance.choice((1, 1, 2)))]
        changes.sort(
            key=lambda change: change is remove_part
        )  # the others need something to change
        for change in changes:
            change(chance, model.graph)
        (folder / self.file).write_bytes(model.SerializeToString())
        return ", ".join(change.__name__ for change in changes)


SIZES = (0, 1, -1, 2, 64, 10**6, 2**31, 2**62)
OPERATORS = (
    *("Add", "MatMul", "Gather", "Tanh", "Relu", "Sin", "Log", "Sqrt", "Div", "Identity", "Shape"),
    *("Reshape", "Expand", "Tile", "Conv", "Gemm", "Softmax", "Concat", "Split", "Loop", "If"),
    *("Scan", "Cast", "OneHot", "Range", "ConstantOfShape", "NonZero", "TopK", "NoSuchOperator"),
    *("StringNormalizer", "SequenceConstruct", "Optional", "Einsum", "Resize", "Pad", "Where"),
)


def change_operator(chance: Random, graph: Any) -> None:
    """Let a node do something else."""
    chance.choice(graph.node).op_type = chance.choice(OPERATORS)


def change_name(chance: Random, graph: Any) -> None:
    """Let a node take another tensor, itself perhaps."""
    node = chance.choice(graph.node)
    names = ["z", "y", "weights", "levels", "dense", "level", "sum", "image", "", "none", "a\nb"]
    names_of = chance.choice((node.input, node.output))
    names_of[chance.randrange(len(names_of))] = chance.choice(names)


def change_input(chance: Random, graph: Any) -> None:
    """Change an axis, the type or the name of an input."""
    one = chance.choice(graph.input)
    kind = one.type.tensor_type
    if chance.random() < 0.5 and kind.shape.dim:
        chance.choice(kind.shape.dim).dim_value = chance.choice(SIZES)
    elif chance.random() < 0.5:
        kind.elem_type = chance.choice((0, 1, 2, 7, 8, 9, 10, 11, 16, 99))
    else:
        one.name = chance.choice(("", "z", "a\nb", "x" * 5000))


def change_constant(chance: Random, graph: Any) -> None:
    """Change what a constant says of itself, its numbers, or where they are."""
    one = chance.choice(graph.initializer)
    act = chance.choice(("dims", "type", "outside", "values"))
    if act == "dims" and one.dims:
        one.dims[chance.randrange(len(one.dims))] = chance.choice(SIZES)
    elif act == "type":
        one.data_type = chance.choice((0, 1, 2, 7, 8, 10, 11, 16, 99))
    elif act in ("values", "dims"):
        del one.float_data[:]
        one.raw_data = chance.randbytes(chance.choice((0, 4, 40, 768)))
    else:
        one.data_location = TensorProto.EXTERNAL
        place = chance.choice(("/etc/passwd", "../intact/g.onnx", "none", "g.onnx", ""))
        one.external_data.add(key="location", value=place)


def add_large_tensor(chance: Random, graph: Any) -> None:
    """Ask for more memory than there is."""
    size = chance.choice((10**5, 10**6, 2**20))
    shape = helper.make_tensor("large", TensorProto.INT64, (2,), [size, size])
    graph.initializer.append(shape)
    graph.node.insert(0, helper.make_node("ConstantOfShape", ["large"], ["more"]))
    graph.node.append(helper.make_node("ReduceSum", ["more"], ["total"], keepdims=0))
    graph.node.append(helper.make_node("Add", ["image", "total"], ["image2"]))
    graph.output[0].name = "image2"


def add_endless_loop(chance: Random, graph: Any) -> None:
    """Compute until the end of time."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["goes"]),
            helper.make_node("Tanh", ["x"], ["x2"]),
        ],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("go", TensorProto.BOOL, []),
            value("x", TensorProto.FLOAT, None),
        ],
        [value("goes", TensorProto.BOOL, []), value("x2", TensorProto.FLOAT, None)],
    )
    graph.initializer.append(helper.make_tensor("times", TensorProto.INT64, (), [2**62]))
    graph.initializer.append(helper.make_tensor("yes", TensorProto.BOOL, (), [True]))
    graph.node.append(helper.make_node("Loop", ["times", "yes", "image"], ["image2"], body=body))
    graph.output[0].name = "image2"


def remove_part(chance: Random, graph: Any) -> None:
    """Remove a node, an input, an output or a constant."""
    kinds = (graph.node, graph.input, graph.output, graph.initializer)
    parts = chance.choice([parts for parts in kinds if parts])
    del parts[chance.randrange(len(parts)) :]


CHANGES: tuple[Callable[[Random, Any], None], ...] = (
    *(change_operator, change_operator, change_name, change_input, change_input),
    *(change_constant, change_constant, add_large_tensor, add_endless_loop, remove_part),
)
