"""Trains the classifier: on true scenes, also passed through the autoencoder, and never on the model's own pictures.

python -m training.train_scorer
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from training.compose import compose
from training.device import DEVICE, fast_arithmetic
from training.run import Average, Run, descend, optimisers, set_rate, trapezoid
from training.scenes import KINDS, Scene, held_out_scenes, sample_scene
from training.scorer import ATTRIBUTES, Scorer, read, shrink, targets
from training.stages import STAGES
from training.train_vae import load_vae, reconstruct, to_tensor

DECODED = 4
"""One scene in this many also passes through the autoencoder, which takes longer than painting it."""


@torch.no_grad()
def pictures(scenes: list[Scene], vae: AutoencoderKL | None, side: int = 128) -> torch.Tensor:
    """Paint scenes, pass them through the autoencoder if one is given, and scale them down, uint8 [B, 3, 128, 128]."""
    shrunk = []
    for i in range(0, len(scenes), 64):
        x = to_tensor(compose(scenes[i : i + 64], side, side))
        with fast_arithmetic():
            seen = x if vae is None else reconstruct(vae, x)
        shrunk.append(((shrink(seen) + 1) * 127.5).round().byte())
    return torch.cat(shrunk)


def accuracy(scorer: Scorer, images: torch.Tensor, scenes: list[Scene]) -> dict[str, float]:
    """The share of scenes classified correctly, by attribute."""
    wanted = torch.tensor([targets(s) for s in scenes], device=images.device)
    right = read(scorer, to_tensor(images)) == wanted
    return dict(zip(ATTRIBUTES, (round(share, 4) for share in right.float().mean(0).tolist()), strict=True))


def train(run: Run, vae: AutoencoderKL, *, steps: int, batch: int, lr: float, scenes: int) -> Scorer:
    """Train on this many scenes, in batches of which a third is decoded, and return the averaged scorer."""
    torch.manual_seed(11)
    rng = np.random.default_rng(11)
    drawn = [sample_scene(rng, pair_share=0.4) for _ in range(scenes)]
    true, decoded = pictures(drawn, None), pictures(drawn[::DECODED], vae)
    wanted = torch.tensor([targets(s) for s in drawn], device=DEVICE)
    test = [s for kind in KINDS for s in held_out_scenes(max(1, scenes // 48), kind, seed=12)]
    tests = {"true": pictures(test, None), "decoded": pictures(test, vae)}
    scorer = Scorer().to(DEVICE)
    average = Average(scorer, 0.99)
    optimizers = optimisers(scorer, lambda _, p: p.ndim == 4, lr)
    for step in range(run.resume(scorer, average, optimizers), steps):
        set_rate(optimizers, lr * trapezoid(step, steps, warmup=50))
        chosen = np.random.default_rng([11, step])
        of_true = torch.from_numpy(chosen.integers(len(true), size=batch - batch // 3)).to(DEVICE)
        of_decoded = torch.from_numpy(chosen.integers(len(decoded), size=batch // 3)).to(DEVICE)
        images = to_tensor(torch.cat([true[of_true], decoded[of_decoded]]))
        answers = torch.cat([wanted[of_true], wanted[::DECODED][of_decoded]]).T
        with fast_arithmetic():
            logits = scorer(images)
        loss = sum(F.cross_entropy(x.float(), w) for x, w in zip(logits, answers, strict=True))
        descend(loss, scorer, optimizers, average)
        if step % 500 == 499 or step == steps - 1:
            run.save(step + 1, scorer, average, optimizers)
            for kind, pool in tests.items():
                run.log(step=step + 1, loss=round(loss.item(), 4), kind=kind, **accuracy(average.module, pool, test))
    return average.module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--scenes", type=int, default=24_000, help="number of painted scenes")
    arguments = parser.parse_args()
    train(
        Run("scorer"),
        load_vae(STAGES["512px"].decoder),
        steps=arguments.steps,
        batch=arguments.batch,
        lr=arguments.lr,
        scenes=arguments.scenes,
    )


if __name__ == "__main__":
    main()
