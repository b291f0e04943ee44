"""Shared by every stage: learning rate, averaged weights, checkpoints to resume from, a log."""

import json
import math
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from torch import nn

from training.device import DEVICE
from training.muon import Muon
from training.paths import CACHE

SAVE_EVERY = 10.0
"""Minutes between two checkpoints."""


def trapezoid(step: int, steps: int, warmup: int, decay: float = 0.4) -> float:
    """Rise over `warmup` steps, stay, fall to zero over the last `decay` share."""
    return min((step + 1) / warmup, 1.0, (steps - step) / max(decay * steps, 1))


def cosine(step: int, steps: int, warmup: int) -> float:
    """Rise over `warmup` steps, then half a cosine down to zero."""
    return min((step + 1) / warmup, 0.5 + 0.5 * math.cos(math.pi * step / steps))


def optimisers(
    modules: nn.Module, is_matrix: Callable[[str, nn.Parameter], bool], lr: float, weight_decay: float = 0.0
) -> list[torch.optim.Optimizer]:
    """Assign the parameters for which `is_matrix(name, parameter)` holds to Muon and the rest to AdamW."""
    named = [(n, p) for n, p in modules.named_parameters() if p.requires_grad]
    matrices = [p for n, p in named if is_matrix(n, p)]
    rest = [p for n, p in named if not is_matrix(n, p)]
    return [
        Muon(matrices, lr=lr, weight_decay=weight_decay),
        torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.99), weight_decay=0.0, fused=True),
    ]


class Length:
    """The length of a stage: a number of steps or, with `minutes`, as many as fit at the pace so far."""

    PACED = 20
    """Warm-up steps that do not count towards pace or time, because compilers and caches are still busy."""

    def __init__(self, steps: int, minutes: float | None = None):
        self.steps, self.limit = steps, minutes and 60 * minutes
        self.paced, self.taken = time.monotonic(), 0

    def total(self, step: int) -> int:
        """Return the stage's total number of steps, as far as it is known before this one; call it for each step."""
        now = time.monotonic()
        taken, self.taken = self.taken, self.taken + 1
        if not self.limit:
            return self.steps
        if taken <= self.PACED:
            self.paced = now
            return step + self.steps
        pace = (now - self.paced) / (taken - self.PACED)
        return step + max(0, int((self.paced + self.limit - now) / pace))


class Average:
    """Exponential moving average of a module's weights, with a warm-up so that early samples are not noise."""

    def __init__(self, module: nn.Module, decay: float):
        self.module, self.decay, self.updates = deepcopy(module).eval().requires_grad_(False), decay, 0

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 10))
        torch._foreach_lerp_(list(self.module.parameters()), list(module.parameters()), 1 - decay)


class Run:
    """One stage's folder in the cache: its log, its checkpoint and its samples."""

    def __init__(self, name: str, root: Path = CACHE / "runs"):
        self.folder = root / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.started = self.saved = time.monotonic()

    def claim(self, settings: object) -> None:
        """Record this run's settings; refuse to resume a run with other settings, or to be mistaken for one."""
        file, asked = self.folder / "settings.txt", f"{settings}\n"
        if not file.exists():
            file.write_text(asked)
        elif (found := file.read_text()) != asked:
            raise SystemExit(
                f"{self.folder} holds a run with other settings; move it away first\nfound: {found}requested: {asked}"
            )

    @property
    def is_save_due(self) -> bool:
        """Whether too much would be lost if the run were killed now."""
        return time.monotonic() - self.saved > 60 * SAVE_EVERY

    def log(self, **values: float) -> None:
        """Append a line of JSON to the log and print it."""
        line = json.dumps({"seconds": round(time.monotonic() - self.started, 1), **values})
        print(line, flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(line + "\n")

    def save(self, step: int, model: nn.Module, average: Average, optimizers: list) -> None:
        """Write the checkpoint atomically, so that a killed run keeps the previous one."""
        state = {
            "step": step,
            "model": model.state_dict(),
            "average": average.module.state_dict(),
            "updates": average.updates,
            "optimizers": [o.state_dict() for o in optimizers],
        }
        torch.save(state, self.folder / "checkpoint.part")
        (self.folder / "checkpoint.part").replace(self.folder / "checkpoint.pt")
        self.saved = time.monotonic()

    def resume(self, model: nn.Module, average: Average, optimizers: list) -> int:
        """Load the checkpoint if there is one and return the step to resume from."""
        # There is no training to lose yet.
        self.saved = time.monotonic()
        file = self.folder / "checkpoint.pt"
        if not file.exists():
            return 0
        state = torch.load(file, map_location=DEVICE, weights_only=True)
        model.load_state_dict(state["model"])
        average.module.load_state_dict(state["average"])
        average.updates = state["updates"]
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        return state["step"]

    def averaged(self) -> dict[str, torch.Tensor]:
        """Return the averaged weights: the checkpoint's, or those from `training.restore`."""
        checkpoint, restored = self.folder / "checkpoint.pt", self.folder / "restored.pt"
        if checkpoint.exists():
            return torch.load(checkpoint, map_location="cpu", weights_only=True)["average"]
        if restored.exists():
            return torch.load(restored, map_location="cpu", weights_only=True)
        raise FileNotFoundError(
            f"{self.folder}: no checkpoint; train this stage first (training.restore restores the committed ones)"
        )


def descend(loss: torch.Tensor, module: nn.Module, optimizers: list[torch.optim.Optimizer], average: Average) -> None:
    """Take one optimiser step with the gradient clipped to norm 1, and update the averaged weights."""
    loss.backward()
    torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    average.update(module)


def set_rate(optimizers: list, rate: float) -> None:
    """Set one learning rate on all parameter groups."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
