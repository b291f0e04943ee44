"""Targets for a few-step student, from a model that needs many steps, guidance included.

Multistep consistency distillation (Heek, Hoogeboom and Salimans 2024, arXiv 2403.06807): time is divided into as many
parts as the student has steps. From anywhere in a part, the student learns to predict the picture with which a single
step lands where the teacher's walk leaves the part. Both walk by DDIM, which is first-order DPM-Solver++.
"""

from typing import NamedTuple

import torch

from training.schedule import FEW_STEPS, MANY_STEPS, signal_and_noise
from training.transformer import Transformer

WALK = 40
"""The teacher's steps."""
STRIDE = 1000 // WALK
"""The number of timesteps between two of the teacher's steps."""
PART = WALK // FEW_STEPS.steps
"""The teacher's steps in each part."""

Caption = tuple[torch.Tensor, torch.Tensor]
"""States [B, T, D] and mask [B, T]."""


class Teacher:
    """A finished model, evaluated with guidance; `nothing` is the empty caption, for one picture."""

    def __init__(self, model: Transformer, nothing: Caption):
        self.model, self.nothing = model.eval().requires_grad_(False), nothing

    @staticmethod
    def timesteps(places: torch.Tensor) -> torch.Tensor:
        """Return the walk's timesteps (24, 49 … 999) for places [B] in 0 … 1."""
        return ((places * WALK).long().clamp(max=WALK - 1) + 1) * STRIDE - 1

    @torch.no_grad()
    def target(
        self,
        student: Transformer,
        noisy: torch.Tensor,
        timestep: torch.Tensor,
        caption: Caption,
        *,
        base_side: int,
    ) -> torch.Tensor:
        """Return the v that the student should predict for noisy latents [B, 4, h, w].

        The teacher takes one step; the current student continues from there to the part's end. A single step that lands
        in the same place predicts a picture between the teacher's and the student's.
        """
        step = (timestep + 1) // STRIDE
        end = (step - 1) // PART * PART
        here, after, there = (_level(i * STRIDE - 1) for i in (step, step - 1, end))
        seen = _picture(noisy, self._guided(noisy, timestep, caption, base_side), here)
        landed = after.signal * seen + after.noise * (noisy - here.signal * seen) / here.noise
        v = student(landed, (timestep - STRIDE).clamp(min=0), *caption, base_side=base_side).float()
        seen_later = _picture(landed, v, after)
        # The share of noise left at the end, relative to that at this point and to that where the teacher landed.
        left, left_after = there.noise / here.noise, there.noise / after.noise.clamp(min=1e-6)
        # 0 where the teacher landed at the end.
        weight = (there.signal - after.signal * left_after) / (there.signal - here.signal * left)
        between = weight * seen_later + (1 - weight) * seen
        return (here.signal * noisy - between) / here.noise

    def _guided(self, noisy: torch.Tensor, timestep: torch.Tensor, caption: Caption, base_side: int) -> torch.Tensor:
        nothing = (x.expand(len(noisy), *x.shape[1:]) for x in self.nothing)
        without = self.model(noisy, timestep, *nothing, base_side=base_side).float()
        with_text = self.model(noisy, timestep, *caption, base_side=base_side).float()
        return without + MANY_STEPS.guidance * (with_text - without)


class _Level(NamedTuple):
    """The factors of picture and noise [B, 1, 1, 1] in latents."""

    signal: torch.Tensor
    noise: torch.Tensor


def _level(timestep: torch.Tensor) -> _Level:
    """Return the levels at timesteps; before the first one the picture is clean."""
    signal, noise = (f[timestep.clamp(min=0)].view(-1, 1, 1, 1) for f in signal_and_noise(timestep.device))
    clean = (timestep < 0).view(-1, 1, 1, 1)
    return _Level(torch.where(clean, 1.0, signal), torch.where(clean, 0.0, noise))


def _picture(noisy: torch.Tensor, v: torch.Tensor, level: _Level) -> torch.Tensor:
    """Return the picture that a v predicts in noisy latents."""
    return level.signal * noisy - level.noise * v
