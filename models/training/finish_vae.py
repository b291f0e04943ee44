"""End of stage 1: standardise the latents and keep the autoencoder for all later stages.

python -m training.finish_vae
"""

import torch
from diffusers import AutoencoderKL

from training.paths import CACHE
from training.run import Run
from training.train_vae import build_vae, scene_pool, to_tensor


@torch.no_grad()
def standardise(vae: AutoencoderKL, images: torch.Tensor) -> AutoencoderKL:
    """Fold each latent channel's mean and deviation into the convolutions around it.

    The transformer then sees mean 0 and deviation 1 in every channel, with scaling factor 1 and shift 0.
    """
    latents = torch.cat([vae.quant_conv(vae.encoder(x)).chunk(2, 1)[0] for x in images.split(32)])
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    into, out = vae.quant_conv, vae.post_quant_conv
    scale = torch.cat([1 / deviation, torch.ones(4)])
    shift = torch.cat([-mean / deviation, -2 * deviation.log()])
    into.weight.mul_(scale.view(-1, 1, 1, 1))
    into.bias.mul_(scale).add_(shift)
    out.bias.add_(out.weight.flatten(1) @ mean)
    out.weight.mul_(deviation.view(1, -1, 1, 1))
    return vae


def main() -> None:
    vae = build_vae()
    vae.load_state_dict(Run("vae").averaged())
    standardise(vae.eval(), to_tensor(scene_pool(20, 128, 512))).save_pretrained(CACHE / "vae")


if __name__ == "__main__":
    main()
