"""Runs a module whose parameters do not fit in memory together: each part holds its own only while it is called."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from torch import nn
from torch.utils.hooks import RemovableHandle

from .recipes import Read


@contextmanager
def streamed(module: nn.Module, read: Read | None) -> Iterator[None]:
    """Loads each module's parameters with `read` when it is called, and drops them when it returns.

    If `read` is None, the module holds its parameters itself, and nothing is done.
    """
    handles: list[RemovableHandle] = []
    for prefix, owner in module.named_modules():
        names = [name for name, parameter in owner._parameters.items() if parameter is not None]
        if read is None or not names:
            continue
        before = {name: owner._parameters[name] for name in names}
        full = {name: f"{prefix}.{name}" if prefix else name for name in names}
        handles.append(owner.register_forward_pre_hook(partial(_give, read, full)))
        handles.append(owner.register_forward_hook(partial(_take, before), always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _give(read: Read, full: dict[str, str], owner: nn.Module, inputs: object) -> None:
    for name, where in full.items():
        owner._parameters[name] = nn.Parameter(read(where), requires_grad=False)


def _take(before: dict[str, nn.Parameter], owner: nn.Module, inputs: object, output: object) -> None:
    owner._parameters.update(before)
