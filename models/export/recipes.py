"""How to compute each weight of a written graph, so that no two have to be in memory at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import onnx_ir as ir
from torch import Tensor

Read = Callable[[str], Tensor]
"""Returns the float32 tensor of a module's parameter, by name."""


@dataclass(frozen=True)
class Recipe:
    """An initializer that is computed only when it is written.

    `make` receives the parameters named in `sources`, as float32 and in that order, and returns a tensor of `shape`
    with elements of `dtype`, in the order of the file. The size has to be exactly as stated here, since the position of
    every tensor in the file, and the disk space, are fixed before any is computed.
    """

    name: str
    dtype: ir.DataType
    shape: tuple[int, ...]
    sources: tuple[str, ...]
    make: Callable[..., Tensor]

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return math.ceil(self.elements * self.dtype.itemsize)

    def then(self, change: Callable[[Tensor], Tensor], **fields: object) -> "Recipe":
        """This recipe with one more step at its end; `fields` are the step's changes to name, dtype and shape."""
        return replace(self, make=lambda *sources: change(self.make(*sources)), **fields)

    def value(self, read: Read) -> Tensor:
        """Computes the tensor."""
        return self.make(*(read(source) for source in self.sources)).contiguous()


def of_parameter(name: str, shape: tuple[int, ...]) -> Recipe:
    """A parameter as it is, in float32."""
    return Recipe(name, ir.DataType.FLOAT, shape, (name,), lambda tensor: tensor)
