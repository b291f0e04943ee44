"""The validation loss of stages on pictures outside training, without sampling.

python -m training.validate 512px 512px-compressed
"""

import argparse

import numpy as np
import torch

from training.device import DEVICE
from training.finite import finite
from training.latents import LatentSet, Recipe, latent_set, latents_root
from training.run import Run
from training.schedule import noised
from training.stages import STAGES, TEXT_RUN
from training.text_states import TextStates
from training.tokenizer import load_tokenizer
from training.train_text import load_text_encoder
from training.train_transformer import load_average, starting_model
from training.train_vae import load_vae
from training.transformer import Transformer

VALIDATION = {
    256: Recipe(592, 256, 256, 128, base_side=32),
    512: Recipe(590, 512, 512, 128, base_side=64),
    1024: Recipe(593, 1024, 1024, 32, base_side=128),
    2048: Recipe(594, 2048, 2048, 4, base_side=256),
}


@torch.no_grad()
def validation_loss(model: Transformer, data: LatentSet, text_states: TextStates, batch: int = 8) -> float:
    """Mean squared error of v over the whole set, with fixed noise, timesteps and captions."""
    rng = np.random.default_rng(591)
    generator = torch.Generator().manual_seed(591)
    count = len(data.scenes)
    timesteps = ((torch.arange(count) + 0.5) / count * 1000).long()[torch.randperm(count, generator=generator)]
    total = 0.0
    for i in range(0, count, batch):
        latents, timestep = data.latents[i : i + batch].float(), timesteps[i : i + batch].to(DEVICE)
        states, mask = text_states.for_scenes(data.scenes[i : i + batch], rng)
        noise = torch.randn(latents.shape, generator=generator).to(DEVICE)
        noisy, target = noised(latents, noise, timestep)
        predicted = model(noisy, timestep, states, mask, base_side=data.base_side)
        total += finite(predicted - target, "predictions").square().mean((1, 2, 3)).sum().item()
    return total / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="+", choices=STAGES, metavar="stage")
    parser.add_argument(
        "--untrained", action="store_true", help="measure the stages' starting weights instead of their final ones"
    )
    arguments = parser.parse_args()
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    print(f"| stage | {' | '.join(f'{side} px' for side in VALIDATION)} |\n| --- | {'--- | ' * len(VALIDATION)}")
    for name in arguments.stages:
        stage = STAGES[name]
        model = (starting_model(stage) if arguments.untrained else load_average(name)).eval().to(DEVICE)
        vae = load_vae(stage.vae)
        sets = [latent_set(vae, recipe, latents_root(stage.vae)) for recipe in VALIDATION.values()]
        losses = [f"{validation_loss(model, data, text_states):.4f}" for data in sets]
        print(f"| {name} | {' | '.join(losses)} |", flush=True)


if __name__ == "__main__":
    main()
