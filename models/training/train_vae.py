"""Stage 1: the autoencoder, on crops of true scenes.  python -m training.train_vae"""

import argparse
import math

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image

from training.compose import compose
from training.run import Average, Run, cosine, optimisers, set_rate
from training.scenes import sample_scene

KL_WEIGHT = 1e-4


def build_vae() -> AutoencoderKL:
    """Return an untrained autoencoder: factor 8, 4 channels, no attention, so that tiles and sizes agree."""
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


def scene_pool(seed: int, side: int, count: int) -> np.ndarray:
    """Paint `count` training scenes, uint8 [count, side, side, 3]."""
    rng = np.random.default_rng(seed)
    return np.stack([compose(sample_scene(rng, 0.3), side, side) for _ in range(count)])


def crops(rng: np.random.Generator, pools: list[np.ndarray], batch: int, side: int) -> torch.Tensor:
    """Cut a batch from random pools: nine in ten show an edge, the tenth may be plain background."""
    cut = []
    while len(cut) < batch:
        pool = pools[rng.integers(len(pools))]
        top, left = rng.integers(0, pool.shape[1] - side + 1, 2)
        crop = pool[rng.integers(len(pool)), top : top + side, left : left + side]
        if crop[::4, ::4].std(axis=(0, 1)).max() > 25 or rng.random() < 0.1:
            cut.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
    return to_tensor(np.stack(cut))


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """uint8 [B, h, w, 3] to float [B, 3, h, w] in -1 … 1."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return tensor.contiguous(memory_format=torch.channels_last)


def gradients(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Differences between neighbouring pixels, downwards and rightwards."""
    return x[:, :, 1:] - x[:, :, :-1], x[:, :, :, 1:] - x[:, :, :, :-1]


def loss_of(vae: AutoencoderKL, x: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, float]:
    """Return the training loss and the reconstruction's mean squared error."""
    # float32: with so few channels bfloat16 is 1.7 times slower on a CPU.
    mean, logvar = vae.quant_conv(vae.encoder(x)).chunk(2, 1)
    logvar = logvar.clamp(-20, 10)
    noise = torch.randn(mean.shape, generator=generator)
    y = vae.decoder(vae.post_quant_conv(mean + noise * (logvar / 2).exp()))
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
    edges = sum(F.l1_loss(a, b) for a, b in zip(gradients(y), gradients(x), strict=True))
    squared = F.mse_loss(y, x)
    return F.l1_loss(y, x) + squared + edges + KL_WEIGHT * kl, squared.item()


@torch.no_grad()
def reconstruct(vae: AutoencoderKL, x: torch.Tensor) -> torch.Tensor:
    """Encode to the mean and decode, in float32, clipped to -1 … 1."""
    mean = vae.quant_conv(vae.encoder(x)).chunk(2, 1)[0]
    return vae.decoder(vae.post_quant_conv(mean)).clamp(-1, 1)


def psnr(x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean peak signal-to-noise ratio over the images, in dB."""
    return (10 * torch.log10(4 / (x - y).square().flatten(1).mean(1))).mean().item()


def evaluate(vae: AutoencoderKL, run: Run, sizes: dict[int, int]) -> dict[str, float]:
    """Measure scenes that training never drew from, and keep a picture: true above, decoded below."""
    results = {}
    for side, count in sizes.items():
        x = to_tensor(scene_pool(10_000 + side, side, count))
        y = reconstruct(vae, x)
        results[f"psnr_{side}"] = round(psnr(x, y), 2)
        rows = [torch.cat(list(t[:6]), 2) for t in (x, y)]
        image = ((torch.cat(rows, 1).permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
        Image.fromarray(image).save(run.folder / f"decoded-{side}.png")
    return results


def train(run: Run, steps: int, batch: int, lr: float, scale: float = 1.0) -> AutoencoderKL:
    """Train to `steps` steps of 64 px crops (the last third: 128 px) and return the averaged autoencoder.

    `scale` shrinks the number of scenes that are painted for training and for evaluation.
    """
    torch.manual_seed(1)
    vae = build_vae()
    average = Average(vae, 0.998)
    optimizers = optimisers(vae, lambda name, p: p.ndim == 4 and "conv_in" not in name and "conv_out" not in name, lr)
    start = run.resume(vae, average, optimizers)
    pools = [scene_pool(s, s, math.ceil(n * scale)) for s, n in ((128, 3000), (256, 1500), (512, 200))]
    for step in range(start, steps):
        rng, generator = np.random.default_rng([1, step]), torch.Generator().manual_seed(step)
        set_rate(optimizers, lr * cosine(step, steps, warmup=100))
        late = step >= steps * 2 // 3
        x = crops(rng, pools, batch // 4 if late else batch, 128 if late else 64)
        loss, squared = loss_of(vae, x, generator)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        average.update(vae)
        if step % 50 == 0:
            run.log(step=step, loss=round(loss.item(), 4), crop_psnr=round(10 * np.log10(4 / squared), 2))
        if step % 300 == 299 or step == steps - 1:
            run.save(step + 1, vae, average, optimizers)
            run.log(
                step=step, **evaluate(average.module, run, {128: math.ceil(24 * scale), 256: math.ceil(16 * scale)})
            )
    return average.module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--run", default="vae")
    arguments = parser.parse_args()
    train(Run(arguments.run), arguments.steps, arguments.batch, arguments.lr)


if __name__ == "__main__":
    main()
