"""What each weight of a written graph is made of, so that no two have to be in memory at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import onnx_ir as ir
from torch import Tensor

Read = Callable[[str], Tensor]
"""Gives the float32 tensor of a module's parameter by its name."""


@dataclass(frozen=True)
class Recipe:
    """An initializer that is made only when it is written.

    `make` gets the parameters named in `sources`, as float32 and in that order, and returns a tensor of `shape` whose
    elements are those of `dtype`, in the order of the file. Every tensor that it returns is as large as it says here,
    since the place of all of them in the file, and the disk that they need, is known before any is made.
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
        """This recipe with one more step at its end; `fields` are what that step changes of name, dtype and shape."""
        return replace(self, make=lambda *sources: change(self.make(*sources)), **fields)

    def value(self, read: Read) -> Tensor:
        """Makes the tensor."""
        return self.make(*(read(source) for source in self.sources)).contiguous()


def of_parameter(name: str, shape: tuple[int, ...]) -> Recipe:
    """A parameter as it is, in float32."""
    return Recipe(name, ir.DataType.FLOAT, shape, (name,), lambda tensor: tensor)
