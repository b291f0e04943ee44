"""Stages 3 onwards: the transformer, weak to strong.  python -m training.train_transformer 128px"""

import argparse
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import nn

from training.batches import Batch, load_batches
from training.device import DEVICE, fast_arithmetic, fuse
from training.latents import LatentSet, latent_set, latents_root
from training.run import Average, Length, Run, descend, optimisers, set_rate, trapezoid
from training.sample import contact_sheet, sample
from training.schedule import noised
from training.sheet import sheet_prompts
from training.stages import STAGES, TEXT_RUN, Stage, divided
from training.teacher import Teacher
from training.text_states import TextStates
from training.tokenizer import load_tokenizer
from training.train_text import load_text_encoder
from training.train_vae import load_vae
from training.transformer import Transformer, compress, from_weights

LOGGED = 25
"""The loss is logged as the mean over this many steps."""

SAMPLED_PIXELS = 8 * 512 * 512
"""Most pixels of a sheet during training: eight of 1024 px take a processor as long as the steps between two sheets."""


def is_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Muon takes the blocks' matrices; tables, biases, embeddings and the output layer are AdamW's."""
    return name.startswith("transformer_blocks") and parameter.ndim == 2 and "table" not in name


def fuse_blocks(model: Transformer) -> None:
    """Compile each block by itself: all are alike, so the compiler works only once."""
    for block in model.transformer_blocks:
        fuse(block)


class Trainer:
    """A running stage: model, averaged model, optimisers, data."""

    def __init__(self, stage: Stage, sets: list[LatentSet], text_states: TextStates, model: Transformer):
        """`sets` holds one latent set for each of the stage's sources."""
        self.stage, self.sets, self.text_states, self.model = stage, sets, text_states, model.to(DEVICE)
        self.teacher = Teacher(deepcopy(self.model), text_states([""])) if stage.few_steps else None
        self.average = Average(model, 0.998)
        self.optimizers = optimisers(model, is_matrix, stage.lr, weight_decay=0.01)
        fuse_blocks(model)
        if self.teacher:
            fuse_blocks(self.teacher.model)

    def batches(self, first: int) -> Iterator[Batch]:
        """Yield the stage's batches from a step on."""
        return load_batches(self.stage, self.sets, self.text_states.tokenizer, first)

    def step(self, step: int, batch: Batch, steps: int | None = None) -> torch.Tensor:
        """Train on one batch and return its loss; `steps` is the stage's length if its own does not apply."""
        stage, steps = self.stage, steps or self.stage.steps
        set_rate(self.optimizers, stage.lr * trapezoid(step, steps, min(50, steps // 4), stage.decay))
        loss = self._loss(batch, torch.Generator(DEVICE).manual_seed(1_000_003 * stage.seed + step))
        descend(loss, self.model, self.optimizers, self.average)
        return loss.detach()

    def _loss(self, batch: Batch, generator: torch.Generator) -> torch.Tensor:
        """Mean squared error of v, or against a teacher's target; timesteps are spread evenly over the batch, which
        steadies the gradient.
        """
        data, count = self.sets[batch.source], len(batch.chosen)
        latents = data.latents[batch.chosen.to(DEVICE)].float()
        states, mask = self.text_states.of_tokens(batch.ids, batch.mask)
        places = torch.rand(count, generator=generator, device=DEVICE)
        spread = (torch.randperm(count, generator=generator, device=DEVICE) + places) / count
        timestep = self.teacher.timesteps(spread) if self.teacher else (spread * 1000).long().clamp(max=999)
        noise = torch.randn(latents.shape, generator=generator, device=DEVICE)
        noisy, target = noised(latents, noise, timestep)
        with fast_arithmetic():
            predicted = self.model(noisy, timestep, states, mask, base_side=data.base_side)
            if self.teacher:
                target = self.teacher.target(self.model, noisy, timestep, (states, mask), base_side=data.base_side)
        return (predicted.float() - target).square().mean()

    def train(self, run: Run, vae: AutoencoderKL, samples: int = 8, minutes: float | None = None) -> None:
        """Train to the stage's end, or for `minutes`; save checkpoints and sheets of samples along the way."""
        losses = []
        step = run.resume(self.model, self.average, self.optimizers)
        length, batches = Length(self.stage.steps, minutes), self.batches(step)
        while step < (steps := length.total(step)):
            losses.append(self.step(step, next(batches), steps))
            step += 1
            if len(losses) == LOGGED:
                run.log(step=step, loss=round(torch.stack(losses).mean().item(), 4))
                losses = []
            if run.is_save_due:
                self.keep(run, step, vae, samples)
        self.keep(run, step, vae, samples)

    def keep(self, run: Run, step: int, vae: AutoencoderKL, samples: int) -> None:
        """Write a checkpoint and a sheet of samples."""
        run.save(step, self.model, self.average, self.optimizers)
        self.draw(vae, run.folder / f"sample-{step:05}.png", samples)

    def draw(self, vae: AutoencoderKL, file: Path, count: int) -> None:
        """Sample held-out prompts with the averaged model at the stage's first size, fewer if that is large."""
        recipe = self.stage.sources[0].recipe
        count = max(1, min(count, SAMPLED_PIXELS // (recipe.width * recipe.height)))
        prompts = [prompt for prompt, _ in sheet_prompts(count)]
        images = sample(
            self.average.module,
            vae,
            self.text_states,
            prompts,
            width=recipe.width,
            height=recipe.height,
            base_side=recipe.base_side,
            sampling=self.stage.sampling,
        )
        Image.fromarray(contact_sheet(images, min(count, 8))).save(file)


def load_average(name: str) -> Transformer:
    """Return a stage's averaged transformer."""
    return from_weights(Run(name).averaged())


def starting_model(stage: Stage) -> Transformer:
    """Return the model that a stage trains: new or an earlier stage's, with compression if the stage adds it."""
    torch.manual_seed(stage.seed)
    model = load_average(stage.start_from) if stage.start_from else Transformer()
    return compress(model, stage.compress) if stage.compress else model


def train_stage(stage: Stage, run: Run, text_states: TextStates, minutes: float | None = None) -> None:
    """Train a stage from its start or its checkpoint; `minutes` replaces its own length.

    A run's length may change between calls; its data may not.
    """
    run.claim(replace(stage, steps=0))
    vae = load_vae(stage.vae)
    sets = [latent_set(vae, source.recipe, latents_root(stage.vae)) for source in stage.sources]
    Trainer(stage, sets, text_states, starting_model(stage)).train(run, vae, minutes=minutes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--steps", type=int, help="default: the stage's own length")
    parser.add_argument("--minutes", type=float, help="train for this long instead; the learning-rate schedule follows")
    parser.add_argument(
        "--divide", type=int, default=1, help="divide data and batches by this, for training on a processor"
    )
    parser.add_argument("--lr", type=float, help="learning rate; default: the stage's own, scaled by --divide")
    parser.add_argument(
        "--from-nothing", action="store_true", help="train from scratch instead of from the stage's starting model"
    )
    arguments = parser.parse_args()
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    stage = divided(STAGES[arguments.stage], arguments.divide)
    stage = replace(
        stage,
        steps=arguments.steps or stage.steps,
        lr=arguments.lr or stage.lr,
        start_from=None if arguments.from_nothing else stage.start_from,
    )
    train_stage(stage, Run(arguments.stage), text_states, arguments.minutes)


if __name__ == "__main__":
    main()
