"""The results of diffusers' schedulers for given predictions, in more settings than there are tiny checkpoints."""

from pathlib import Path
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, LCMScheduler
from torch import Tensor

from ..scheduler import describe
from .stages import write_json

SEED = 9
EPSILON = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
VELOCITY = {"beta_schedule": "scaled_linear", "prediction_type": "v_prediction"}
TRAILING = {**VELOCITY, "timestep_spacing": "trailing", "rescale_betas_zero_snr": True}
RUNS: tuple[tuple[type, dict[str, Any], int, int], ...] = (
    (EulerDiscreteScheduler, EPSILON, 1, 5),
    (EulerDiscreteScheduler, EPSILON, 6, 16),
    (EulerDiscreteScheduler, VELOCITY, 7, 5),
    (EulerDiscreteScheduler, TRAILING, 8, 16),
    (LCMScheduler, EPSILON, 1, 5),
    (LCMScheduler, EPSILON, 4, 16),
    (LCMScheduler, EPSILON, 7, 37),
    (LCMScheduler, {**VELOCITY, "original_inference_steps": 30, "timestep_scaling": 2.0}, 5, 5),
    (LCMScheduler, VELOCITY, 50, 3),
)
"""Scheduler, settings, steps, and the number of latents, which decides whether a generator draws them in blocks."""


def write_samplers(target: Path) -> None:
    """Writes, for every run, the description, the inputs and predictions of each step, and the latents after it."""
    write_json([_run(*run) for run in RUNS], target)


def _run(scheduler_class: type, settings: dict[str, Any], steps: int, count: int) -> dict[str, Any]:
    scheduler = scheduler_class(**settings)
    scheduler.set_timesteps(steps)
    generator = torch.Generator("cpu").manual_seed(SEED)
    latents = torch.randn(count, generator=generator) * scheduler.init_noise_sigma
    taken = []
    for index, timestep in enumerate(scheduler.timesteps):
        model_input = scheduler.scale_model_input(latents, timestep)
        prediction = torch.sin(torch.arange(count) + index)
        latents = scheduler.step(prediction, timestep, latents, generator=generator).prev_sample
        taken.append(
            {
                "timestep": timestep.item(),
                "input": _numbers(model_input),
                "prediction": _numbers(prediction),
                "latents": _numbers(latents),
            }
        )
    return {
        "scheduler": describe(scheduler_class.__name__, scheduler.config),
        "seed": SEED,
        "steps": taken,
    }


def _numbers(tensor: Tensor) -> list[float]:
    """Nine significant digits, which distinguish every float32 from its neighbours."""
    return [float(f"{value:.9g}") for value in tensor.tolist()]
