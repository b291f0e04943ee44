"""The noise schedule: scaled-linear betas rescaled to zero terminal signal-to-noise ratio, v prediction."""

from dataclasses import dataclass
from functools import cache

import torch
from diffusers import DPMSolverMultistepScheduler


@dataclass(frozen=True)
class Sampling:
    """A model's sampling settings: steps, guidance, and the solver's order."""

    steps: int
    guidance: float
    order: int


MANY_STEPS = Sampling(20, 4.5, order=2)
FEW_STEPS = Sampling(4, 1.0, order=1)


def scheduler(order: int = MANY_STEPS.order) -> DPMSolverMultistepScheduler:
    """Return the bundle's sampler: DPM-Solver++ with trailing steps."""
    return DPMSolverMultistepScheduler(
        solver_order=order,
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        final_sigmas_type="zero",
    )


@cache
def signal_and_noise(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the factors of image and noise at each of the 1000 timesteps."""
    products = scheduler().alphas_cumprod.to(device)
    return products.sqrt(), (1 - products).sqrt()


def noised(x: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy latents and their v target (Salimans and Ho 2022, appendix D)."""
    signal, sigma = (f[timestep].view(-1, 1, 1, 1) for f in signal_and_noise(x.device))
    return signal * x + sigma * noise, signal * noise - sigma * x
