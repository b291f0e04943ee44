"""Stages 3 onwards: the transformer, weak to strong.  python -m training.train_transformer 128px"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import nn

from training.latents import LatentSet, latent_set
from training.paths import CACHE
from training.run import Average, Run, optimisers, set_rate, trapezoid
from training.sample import contact_sheet, sample
from training.schedule import noised
from training.sheet import sheet_prompts
from training.stages import STAGES, TEXT_RUN, Stage
from training.text_states import TextStates
from training.tokenizer import load_tokenizer
from training.train_text import load_text_encoder
from training.transformer import Shape, Transformer, compress

CAPTION_DROPOUT = 0.1


def is_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Muon takes the blocks' matrices; tables, biases, embeddings and the output layer are AdamW's."""
    return name.startswith("transformer_blocks") and parameter.ndim == 2 and "table" not in name


class Trainer:
    """A stage under way: model, averaged model, optimisers, data."""

    def __init__(self, stage: Stage, sets: list[LatentSet], text_states: TextStates, model: Transformer):
        """`sets` holds one latent set for each of the stage's sources."""
        self.stage, self.sets, self.text_states, self.model = stage, sets, text_states, model
        self.average = Average(model, 0.998)
        self.optimizers = optimisers(model, is_matrix, stage.lr, weight_decay=0.01)

    def step(self, step: int) -> float:
        """Train on one batch, the same for the same step, and return its loss."""
        stage = self.stage
        set_rate(self.optimizers, stage.lr * trapezoid(step, stage.steps, min(50, stage.steps // 4), stage.decay))
        loss = self._loss(np.random.default_rng([stage.seed, step]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.average.update(self.model)
        return loss.item()

    def _loss(self, rng: np.random.Generator) -> torch.Tensor:
        """Mean squared error of v over a batch whose timesteps are spread evenly, which steadies the gradient."""
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        chosen = rng.choice(len(self.sets), p=[source.share for source in self.stage.sources])
        batch, data = self.stage.sources[chosen].batch, self.sets[chosen]
        scenes, latents = data.draw(rng, batch)
        states, mask = self.text_states.for_scenes(scenes, rng, CAPTION_DROPOUT)
        spread = (torch.randperm(batch, generator=generator) + torch.rand(batch, generator=generator)) / batch
        timestep = (spread * 1000).long().clamp(max=999)
        noisy, target = noised(latents, torch.randn(latents.shape, generator=generator), timestep)
        return (self.model(noisy, timestep, states, mask, base_side=data.base_side) - target).square().mean()

    def train(self, run: Run, vae: AutoencoderKL, samples: int = 24, minutes: float = 8) -> None:
        """Train to the stage's end; keep a checkpoint and a sheet of samples every few minutes."""
        losses, sampled = [], time.monotonic()
        for step in range(run.resume(self.model, self.average, self.optimizers), self.stage.steps):
            losses.append(self.step(step))
            if len(losses) == 25:
                run.log(step=step + 1, loss=round(float(np.mean(losses)), 4))
                losses = []
            if time.monotonic() - sampled > 60 * minutes or step == self.stage.steps - 1:
                run.save(step + 1, self.model, self.average, self.optimizers)
                self.draw(vae, run.folder / f"sample-{step + 1:05}.png", samples)
                sampled = time.monotonic()

    def draw(self, vae: AutoencoderKL, file: Path, count: int) -> None:
        """Sample held-out prompts with the averaged model at the stage's first size."""
        recipe = self.stage.sources[0].recipe
        prompts = [prompt for prompt, _ in sheet_prompts(count)]
        images = sample(
            self.average.module,
            vae,
            self.text_states,
            prompts,
            width=recipe.width,
            height=recipe.height,
            base_side=recipe.base_side,
        )
        Image.fromarray(contact_sheet(images, 8)).save(file)


def load_average(name: str) -> Transformer:
    """Return a stage's averaged transformer; its weights say which layers are compressed."""
    weights = Run(name).averaged()
    layers = range(Shape().layers)
    compressed = tuple(i for i in layers if f"transformer_blocks.{i}.attn1.sr.weight" in weights)
    model = Transformer(Shape(compressed_layers=compressed))
    model.load_state_dict(weights)
    return model


def starting_model(stage: Stage) -> Transformer:
    """Return the model that a stage trains: fresh or an earlier stage's, with compression where the stage adds it."""
    torch.manual_seed(stage.seed)
    model = load_average(stage.start_from) if stage.start_from else Transformer(Shape())
    return compress(model, stage.compress) if stage.compress else model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--steps", type=int, help="another length than the stage's own")
    arguments = parser.parse_args()
    stage = STAGES[arguments.stage]
    stage = replace(stage, steps=arguments.steps or stage.steps)
    vae = AutoencoderKL.from_pretrained(CACHE / "vae").eval()
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    sets = [latent_set(vae, source.recipe) for source in stage.sources]
    Trainer(stage, sets, text_states, starting_model(stage)).train(Run(arguments.stage), vae)


if __name__ == "__main__":
    main()
