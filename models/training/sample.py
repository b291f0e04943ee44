"""Samples like the product: DPM-Solver++ with classifier-free guidance, then the autoencoder's decoder."""

import numpy as np
import torch
from diffusers import AutoencoderKL

from training.device import DEVICE, fast_arithmetic
from training.finite import finite
from training.schedule import MANY_STEPS, Sampling, scheduler
from training.text_states import TextStates
from training.train_vae import decode
from training.transformer import Transformer


@torch.no_grad()
def sample(
    model: Transformer,
    vae: AutoencoderKL,
    text_states: TextStates,
    prompts: list[str],
    *,
    width: int,
    height: int,
    base_side: int,
    sampling: Sampling = MANY_STEPS,
    seed: int = 0,
) -> np.ndarray:
    """Draw one picture for each prompt, uint8 [B, height, width, 3]. Raises `FloatingPointError` for NaN."""
    solver = scheduler(sampling.order)
    solver.set_timesteps(sampling.steps)
    is_guided = sampling.guidance > 1
    states, mask = text_states([*[""] * len(prompts) * is_guided, *prompts])
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(len(prompts), 4, height // 8, width // 8, generator=generator).to(DEVICE)
    for t in solver.timesteps:
        asked = torch.cat([latents, latents]) if is_guided else latents
        with fast_arithmetic():
            v = model(asked, t.to(DEVICE).expand(len(asked)), states, mask, base_side=base_side).float()
        if is_guided:
            without, with_text = v.chunk(2)
            v = without + sampling.guidance * (with_text - without)
        latents = solver.step(v, t, latents).prev_sample
    with fast_arithmetic():
        images = torch.cat([decode(vae, x) for x in latents.split(4)])
    images = finite(images, "pictures")
    return ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def contact_sheet(images: np.ndarray, columns: int) -> np.ndarray:
    """Lay pictures of one size out in rows."""
    rows = -(-len(images) // columns)
    padded = np.full((rows * columns, *images.shape[1:]), 255, np.uint8)
    padded[: len(images)] = images
    _, height, width, _ = images.shape
    grid = padded.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, 3)
