"""Finish an autoencoder's training: standardise the latents and save it for later stages.

python -m training.finish_vae vae
"""

import argparse

import torch
from diffusers import AutoencoderKL

from training.device import DEVICE
from training.paths import CACHE
from training.run import Run
from training.train_vae import build_vae, encode, scene_pool, to_tensor


@torch.no_grad()
def standardise(vae: AutoencoderKL, images: torch.Tensor) -> AutoencoderKL:
    """Fold each latent channel's mean and deviation into the convolutions around it.

    The transformer then sees mean 0 and deviation 1 in every channel, with scaling factor 1 and shift 0.
    """
    latents = torch.cat([encode(vae, x)[0] for x in images.split(32)])
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    into, out = vae.quant_conv, vae.post_quant_conv
    scale = torch.cat([1 / deviation, torch.ones_like(deviation)])
    shift = torch.cat([-mean / deviation, -2 * deviation.log()])
    into.weight.mul_(scale.view(-1, 1, 1, 1))
    into.bias.mul_(scale).add_(shift)
    out.bias.add_(out.weight.flatten(1) @ mean)
    out.weight.mul_(deviation.view(1, -1, 1, 1))
    return vae


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="the autoencoder's run")
    name = parser.parse_args().name
    vae = build_vae()
    vae.load_state_dict(Run(name).averaged())
    standardise(vae.eval().to(DEVICE), to_tensor(scene_pool(20, 128, 512))).save_pretrained(CACHE / name)


if __name__ == "__main__":
    main()
