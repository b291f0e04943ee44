"""Trains a cheap decoder for existing latents.  python -m training.train_decoder --minutes 60"""

import argparse
import math
import shutil
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from network.shuffle_decoder import DecoderShape, ShuffleDecoder, save_decoder
from training.device import DEVICE, fast_arithmetic, fuse
from training.paths import CACHE
from training.run import Average, Length, Run, cosine, descend, optimisers, set_rate
from training.train_vae import TESTS, encode, evaluate, gradients, load_vae, scene_pool, take_decoder, to_tensor

FACTOR = 8
MARGIN = 2
"""Latents along the edge of a crop whose pixels do not count, because they depend on latents outside it."""


@dataclass(frozen=True)
class Pool:
    """A number of scenes of `side` pixels, used whole or, if `cut` is smaller, in crops."""

    side: int
    count: int
    cut: int
    batch: int
    share: float


POOLS = (Pool(128, 4000, 128, 16, 0.3), Pool(256, 2400, 256, 4, 0.4), Pool(512, 400, 256, 4, 0.3))


@dataclass(frozen=True)
class Pairs:
    """Pictures, uint8 [count, 3, side, side], and the mean and deviation of their latents, float16 [count, 8, …]."""

    pictures: torch.Tensor
    latents: torch.Tensor


@torch.no_grad()
def encoded(vae: AutoencoderKL, pictures: torch.Tensor, at_once: int) -> torch.Tensor:
    """Return mean and deviation of whole pictures' latents: a crop's own would differ, because of the group norms."""
    parts = []
    for part in pictures.split(at_once):
        with fast_arithmetic():
            mean, logvar = encode(vae, to_tensor(part))
        parts.append(torch.cat([mean, (logvar.clamp(-20, 10) / 2).exp()], 1).half().cpu())
    return torch.cat(parts)


def pairs(vae: AutoencoderKL, pool: Pool, scale: float, folder: Path) -> Pairs:
    """Paint and encode a pool, or read it from `folder`, where it is stored for resumed runs."""
    file = folder / f"pairs-{pool.side}.pt"
    if not file.exists():
        pictures = scene_pool(pool.side, pool.side, math.ceil(pool.count * scale))
        at_once = max(1, 2**19 // pool.side**2)
        torch.save({"pictures": pictures, "latents": encoded(vae, pictures, at_once)}, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)
    return Pairs(**torch.load(file, mmap=True, weights_only=True))


def draw(rng: np.random.Generator, pool: Pool, data: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a batch of pictures, −1 … 1, with the mean and deviation of their latents."""
    chosen: list[tuple[torch.Tensor, torch.Tensor]] = []
    while len(chosen) < pool.batch:
        index = rng.integers(len(data.pictures))
        top, left = rng.integers(0, (pool.side - pool.cut) // FACTOR + 1, 2)
        size = pool.cut // FACTOR
        latents = data.latents[index, :, top : top + size, left : left + size]
        rows, columns = (slice(start * FACTOR, start * FACTOR + pool.cut) for start in (top, left))
        picture = data.pictures[index, :, rows, columns]
        # Nine in ten show an edge; the tenth may be plain background.
        if picture[:, ::4, ::4].float().std((1, 2)).amax() > 25 or rng.random() < 0.1:
            chosen.append((picture, latents))
    pictures, latents = (torch.stack(part) for part in zip(*chosen, strict=True))
    return to_tensor(pictures), latents.to(DEVICE).float()


def inner(x: torch.Tensor, pool: Pool) -> torch.Tensor:
    """Return the pixels that count: all pixels of a whole picture, those away from the edge of a crop."""
    edge = MARGIN * FACTOR if pool.cut < pool.side else 0
    return x[..., edge : x.shape[-2] - edge, edge : x.shape[-1] - edge]


def loss_of(
    decoder: ShuffleDecoder, x: torch.Tensor, latents: torch.Tensor, pool: Pool, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the training loss and the mean squared error; latents are drawn as in the autoencoder's own training."""
    mean, deviation = latents.chunk(2, 1)
    noise = torch.randn(mean.shape, generator=generator, device=DEVICE)
    with fast_arithmetic():
        y = decoder((mean + noise * deviation).contiguous(memory_format=torch.channels_last)).float()
    x, y = inner(x, pool), inner(y, pool)
    edges = sum(F.l1_loss(a, b) for a, b in zip(gradients(y), gradients(x), strict=True))
    squared = F.mse_loss(y, x)
    return F.l1_loss(y, x) + 5 * squared + edges, squared.detach()


def is_kernel(name: str, parameter: torch.Tensor) -> bool:
    """Whether a parameter is a kernel between inner channels, the kind for Muon."""
    return parameter.ndim == 4 and not name.startswith(("conv_in", "conv_out"))


def train(
    run: Run, length: Length, *, vae: AutoencoderKL, shape: DecoderShape, lr: float, scale: float = 1.0
) -> ShuffleDecoder:
    """Train from scratch on the latents of `vae`, which stays unchanged, and return the averaged decoder.

    `scale` shrinks the number of scenes that are painted for training and for evaluation.
    """
    torch.manual_seed(1)
    decoder = ShuffleDecoder(shape).to(DEVICE, memory_format=torch.channels_last)
    average = Average(decoder, 0.998)
    tested, tests = deepcopy(vae), {side: math.ceil(count * scale) for side, count in TESTS.items()}
    take_decoder(tested, average.module)
    fuse(decoder)
    optimizers = optimisers(decoder, is_kernel, lr)
    data = [pairs(vae, pool, scale, run.folder) for pool in POOLS]
    step = run.resume(decoder, average, optimizers)
    generator = torch.Generator(DEVICE)
    while step < (steps := length.total(step)):
        set_rate(optimizers, lr * cosine(step, steps, warmup=100))
        rng = np.random.default_rng([1, step])
        chosen = rng.choice(len(POOLS), p=[pool.share for pool in POOLS])
        x, latents = draw(rng, POOLS[chosen], data[chosen])
        loss, squared = loss_of(decoder, x, latents, POOLS[chosen], generator.manual_seed(step))
        descend(loss, decoder, optimizers, average)
        step += 1
        if step % 50 == 0:
            run.log(step=step, loss=round(loss.item(), 4), psnr=round(10 * math.log10(4 / squared.item()), 2))
        if step % 1000 == 0:
            run.log(step=step, **evaluate(tested, run, tests))
        if run.is_save_due:
            run.save(step, decoder, average, optimizers)
    run.save(step, decoder, average, optimizers)
    run.log(step=step, **evaluate(tested, run, tests))
    return average.module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--minutes", type=float, help="train for this long instead of --steps")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--run", default="vae-2-shuffle")
    parser.add_argument("--decoder-of", default="vae-2", help="the autoencoder whose latents it decodes")
    arguments = parser.parse_args()
    decoder = train(
        Run(arguments.run),
        Length(arguments.steps, arguments.minutes),
        vae=load_vae(arguments.decoder_of),
        shape=DecoderShape(),
        lr=arguments.lr,
    )
    # The autoencoder is copied too: its encoder computes the latents.
    shutil.copytree(CACHE / arguments.decoder_of, CACHE / arguments.run)
    save_decoder(decoder, CACHE / arguments.run / "decoder")


if __name__ == "__main__":
    main()
