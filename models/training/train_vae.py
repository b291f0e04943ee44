"""Stage 1: the autoencoder, on crops of true scenes.  python -m training.train_vae"""

import argparse
import math

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from torch import nn

from network.shuffle_decoder import ShuffleDecoder, load_decoder
from training.compose import compose
from training.device import DEVICE, fast_arithmetic, fuse
from training.paths import CACHE
from training.run import Average, Length, Run, cosine, descend, optimisers, set_rate
from training.scenes import sample_scene

KL_WEIGHT = 1e-4


def build_vae() -> AutoencoderKL:
    """Return an untrained autoencoder: factor 8, 4 channels, no attention, so that tiles and sizes are consistent."""
    return AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=(16, 32, 64, 128),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=256,
        scaling_factor=1.0,
        shift_factor=0.0,
    ).to(memory_format=torch.channels_last)


def scene_pool(seed: int, side: int, count: int) -> torch.Tensor:
    """Paint `count` training scenes, uint8 [count, 3, side, side]."""
    rng = np.random.default_rng(seed)
    painted = []
    for start in range(0, count, 16):
        painted.append(compose([sample_scene(rng, 0.3) for _ in range(min(16, count - start))], side, side))
    return torch.cat(painted)


def crops(rng: np.random.Generator, pools: list[torch.Tensor], batch: int, side: int) -> torch.Tensor:
    """Cut a batch from random pools: nine in ten show an edge, the tenth may be plain background."""
    kept: list[torch.Tensor] = []
    while sum(len(x) for x in kept) < batch:
        cut = torch.stack([_crop(rng, pools[rng.integers(len(pools))], side) for _ in range(2 * batch)])
        contrast = cut[:, :, ::4, ::4].float().std((2, 3)).amax(1)
        plain = torch.from_numpy(rng.random(len(cut)) < 0.1).to(cut.device)
        kept.append(cut[(contrast > 25) | plain])
    half = batch // 2
    chosen = torch.cat(kept)[:batch]
    return to_tensor(torch.cat([chosen[:half], chosen[half:].flip(3)]))


def _crop(rng: np.random.Generator, pool: torch.Tensor, side: int) -> torch.Tensor:
    top, left = rng.integers(0, pool.shape[2] - side + 1, 2)
    return pool[rng.integers(len(pool)), :, top : top + side, left : left + side]


def to_tensor(images: torch.Tensor) -> torch.Tensor:
    """uint8 [B, 3, h, w] to float in -1 … 1, on the training device."""
    return (images.to(DEVICE).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def encode(vae: AutoencoderKL, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the latents' mean and logarithm of variance [B, 4, h / 8, w / 8]."""
    return vae.quant_conv(vae.encoder(x)).float().chunk(2, 1)


def decode(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Return images [B, 3, 8 h, 8 w], about -1 … 1."""
    return vae.decoder(vae.post_quant_conv(latents)).float()


def gradients(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Differences between neighbouring pixels, downwards and rightwards."""
    return x[:, :, 1:] - x[:, :, :-1], x[:, :, :, 1:] - x[:, :, :, :-1]


def loss_of(vae: AutoencoderKL, x: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the training loss and the reconstruction's mean squared error."""
    with fast_arithmetic():
        mean, logvar = encode(vae, x)
        logvar = logvar.clamp(-20, 10)
        noise = torch.randn(mean.shape, generator=generator, device=DEVICE)
        y = decode(vae, mean + noise * (logvar / 2).exp())
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    edges = sum(F.l1_loss(a, b) for a, b in zip(gradients(y), gradients(x), strict=True))
    squared = F.mse_loss(y, x)
    return F.l1_loss(y, x) + squared + edges + KL_WEIGHT * kl, squared.detach()


@torch.no_grad()
def reconstruct(vae: AutoencoderKL, x: torch.Tensor) -> torch.Tensor:
    """Encode to the mean and decode, in float32, clipped to -1 … 1."""
    return decode(vae, encode(vae, x)[0]).clamp(-1, 1)


def psnr(x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean peak signal-to-noise ratio over the images, in dB."""
    return (10 * torch.log10(4 / (x - y).square().flatten(1).mean(1))).mean().item()


def evaluate(vae: AutoencoderKL, run: Run, sizes: dict[int, int]) -> dict[str, float]:
    """Measure on scenes outside training, and save a picture: true above, decoded below."""
    results = {}
    for side, count in sizes.items():
        x = to_tensor(scene_pool(10_000 + side, side, count))
        y = torch.cat([reconstruct(vae, part) for part in x.split(4)])
        results[f"psnr_{side}"] = round(psnr(x, y), 2)
        rows = [torch.cat(list(t[:6]), 2) for t in (x, y)]
        image = ((torch.cat(rows, 1).permute(1, 2, 0) + 1) * 127.5).round().byte().cpu().numpy()
        Image.fromarray(image).save(run.folder / f"decoded-{side}.png")
    return results


POOLS = {128: 3000, 256: 3000, 512: 600}
"""The number of scenes painted at each size; crops of the large ones teach slow edges and even areas."""

TESTS = {128: 24, 256: 16, 512: 8}


def train(
    run: Run,
    length: Length,
    *,
    batch: int,
    lr: float,
    scale: float = 1.0,
    start_from: AutoencoderKL | None = None,
    decoder_only: bool = False,
) -> AutoencoderKL:
    """Train on crops of 128 px, from another autoencoder if one is given, and return the averaged autoencoder.

    `scale` reduces the number of scenes that are painted for training and for evaluation. With `decoder_only` the
    latents do not change, so a transformer that was trained on them works with the new decoder.
    """
    torch.manual_seed(1)
    vae = (start_from or build_vae()).train().requires_grad_(True).to(DEVICE)
    if decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    average = Average(vae, 0.998)
    fuse(vae.encoder)
    fuse(vae.decoder)
    optimizers = optimisers(vae, lambda name, p: p.ndim == 4 and "conv_in" not in name and "conv_out" not in name, lr)
    step = run.resume(vae, average, optimizers)
    pools = [scene_pool(side, side, math.ceil(count * scale)) for side, count in POOLS.items()]
    generator = torch.Generator(DEVICE)
    while step < (steps := length.total(step)):
        set_rate(optimizers, lr * cosine(step, steps, warmup=100))
        x = crops(np.random.default_rng([1, step]), pools, batch, 128)
        loss, squared = loss_of(vae, x, generator.manual_seed(step))
        descend(loss, vae, optimizers, average)
        step += 1
        if step % 50 == 0:
            run.log(step=step, loss=round(loss.item(), 4), crop_psnr=round(10 * math.log10(4 / squared.item()), 2))
        if run.is_save_due:
            run.save(step, vae, average, optimizers)
    run.save(step, vae, average, optimizers)
    run.log(step=step, **evaluate(average.module, run, {side: math.ceil(n * scale) for side, n in TESTS.items()}))
    return average.module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--minutes", type=float, help="train for this long instead of --steps")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--run", default="vae")
    parser.add_argument("--start-from", help="a finished autoencoder to start from")
    parser.add_argument("--decoder-of", help="train only the decoder of this one further; its latents do not change")
    arguments = parser.parse_args()
    earlier = arguments.decoder_of or arguments.start_from
    vae = train(
        Run(arguments.run),
        Length(arguments.steps, arguments.minutes),
        batch=arguments.batch,
        lr=arguments.lr,
        start_from=load_vae(earlier) if earlier else None,
        decoder_only=arguments.decoder_of is not None,
    )
    if arguments.decoder_of:
        # finish_vae has nothing left to do: these latents are already standardised.
        vae.save_pretrained(CACHE / arguments.run)


def load_vae(name: str) -> AutoencoderKL:
    """Return a finished autoencoder, with its replacement decoder if it has one."""
    folder = CACHE / name
    vae = AutoencoderKL.from_pretrained(folder)
    if (folder / "decoder").exists():
        take_decoder(vae, load_decoder(folder / "decoder"))
    return vae.to(DEVICE, memory_format=torch.channels_last).eval().requires_grad_(False)


def take_decoder(vae: AutoencoderKL, decoder: ShuffleDecoder) -> None:
    """Make an autoencoder decode with a decoder that is not of its class."""
    vae.post_quant_conv, vae.decoder = nn.Identity(), decoder


if __name__ == "__main__":
    main()
