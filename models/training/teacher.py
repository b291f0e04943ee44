"""What a student that draws in few steps learns from a model that needs many, guidance included.

Multistep consistency distillation (Heek, Hoogeboom and Salimans 2024, arXiv 2403.06807): time is cut into as many parts
as the student has steps. From anywhere in a part the student learns to see the picture with which one step lands where
the teacher's walk leaves the part. Both walk by DDIM, which is DPM-Solver++ of first order.
"""

import torch

from training.schedule import FEW_STEPS, MANY_STEPS, signal_and_noise
from training.transformer import Transformer

WALK = 40
"""The teacher's steps."""
STRIDE = 1000 // WALK
"""Timesteps between two of them."""
PART = WALK // FEW_STEPS.steps
"""The teacher's steps in each part."""

Caption = tuple[torch.Tensor, torch.Tensor]
"""States [B, T, D] and mask [B, T]."""


class Teacher:
    """A finished model that is asked with guidance; `nothing` is the empty caption, for one picture."""

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

        The teacher takes one step; the student, as it is now, goes on from there to the part's end. One step that lands
        at the same place sees a picture between the teacher's and the student's.
        """
        guided = self._guided(noisy, timestep, caption, base_side)
        here = _level(timestep)
        step = (timestep + 1) // STRIDE
        end = (step - 1) // PART * PART
        after, there = _level((step - 1) * STRIDE - 1), _level(end * STRIDE - 1)
        image = here[0] * noisy - here[1] * guided
        landed = after[0] * image + after[1] * (noisy - here[0] * image) / here[1]
        later = student(landed, (timestep - STRIDE).clamp(min=0), *caption, base_side=base_side).float()
        beyond = after[0] * landed - after[1] * later
        # The noise that is kept on the way to the end, from here and from the place where the teacher landed.
        kept, kept_after = there[1] / here[1], there[1] / after[1].clamp(min=1e-6)
        share = (there[0] - after[0] * kept_after) / (there[0] - here[0] * kept)
        share = torch.where((step - 1 == end).view_as(share), 0.0, share)
        image = share * beyond + (1 - share) * image
        return (here[0] * noisy - image) / here[1]

    def _guided(self, noisy: torch.Tensor, timestep: torch.Tensor, caption: Caption, base_side: int) -> torch.Tensor:
        nothing = (x.expand(len(noisy), *x.shape[1:]) for x in self.nothing)
        without = self.model(noisy, timestep, *nothing, base_side=base_side).float()
        with_text = self.model(noisy, timestep, *caption, base_side=base_side).float()
        return without + MANY_STEPS.guidance * (with_text - without)


def _level(timestep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return signal and noise [B, 1, 1, 1] at timesteps; before the first one the picture is clean."""
    signal, sigma = (f[timestep.clamp(min=0)].view(-1, 1, 1, 1) for f in signal_and_noise(timestep.device))
    clean = (timestep < 0).view(-1, 1, 1, 1)
    return torch.where(clean, 1.0, signal), torch.where(clean, 0.0, sigma)
