"""Graphs that are written node by node, where a trace of a module would not have the nodes that a device is fast at."""

from collections.abc import Iterator
from contextlib import contextmanager

import onnx_ir as ir
from onnx_ir.tape import Tape

CONTRIB = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""


class Nodes:
    """Appends nodes to a graph: `op("Add", a, b)` is the value that the new node puts out."""

    def __init__(self, graph: ir.Graph):
        self._tape = Tape(graph)
        self._prefix = ""

    @contextmanager
    def named(self, prefix: str) -> Iterator[None]:
        """Gives names that begin with `prefix` to the nodes that are made meanwhile."""
        self._prefix = f"{prefix}/"
        try:
            yield
        finally:
            self._prefix = ""

    def __call__(self, op_type: str, *inputs: ir.Value | None, domain: str = "", **attributes: object) -> ir.Value:
        """Attributes are those of the operator."""
        return self._tape.op(op_type, inputs, attributes, domain=domain, name=self._name(op_type))

    def split(self, value: ir.Value, axis: int, count: int) -> list[ir.Value]:
        """`count` equal parts of a value."""
        attributes = {"axis": axis, "num_outputs": count}
        return list(self._tape.op_multi_out("Split", [value], attributes, num_outputs=count, name=self._name("Split")))

    def constant(self, tensor: ir.TensorProtocol) -> ir.Value:
        """An initializer."""
        return self._tape.initializer(tensor)

    def _name(self, op_type: str) -> str:
        return f"{self._prefix}{op_type}_{len(self._tape.nodes)}"
