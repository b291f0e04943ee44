"""What starting from the 256 px model is worth at 512 px: two runs of one length, one from it and one from nothing.

python -m training.weak_to_strong --minutes 50

Each run ends after so many minutes of training, validation and scoring not counted; stopped, it goes on where it was.
The tables go to standard output, the curve to `weak-to-strong.svg` in the folder given.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic

import torch
from diffusers import AutoencoderKL

from training.device import DEVICE
from training.latents import LatentSet, latent_set, latents_root
from training.loss_plot import Curve, loss_plot
from training.run import Run
from training.scenes import held_out_scenes
from training.score import score, share
from training.scorer import load_scorer
from training.stages import STAGES, TEXT_RUN
from training.text_states import TextStates
from training.tokenizer import load_tokenizer
from training.train_text import load_text_encoder
from training.train_transformer import Trainer, load_average
from training.train_vae import load_vae
from training.transformer import Shape, Transformer
from training.validate import VALIDATION, validation_loss

POINTS = 12
"""How often the loss is measured on the way."""
SCORED = 3
"""At how many of them, evenly, pictures are drawn and judged."""


@dataclass(frozen=True)
class Point:
    """Where a run stands: minutes trained, pictures seen, and the averaged weights' loss on pictures it never sees."""

    minutes: float
    pictures: int
    loss: float


def train(trainer: Trainer, run: Run, validation: LatentSet, minutes: float) -> list[Point]:
    """Train for so long, and measure the loss at the beginning and at POINTS times on the way."""
    step = run.resume(trainer.model, trainer.average, trainer.optimizers)
    # Points go by the step of the checkpoint that they belong to: a run that is killed between the two loses neither.
    file = run.folder / f"points-{step}.json"
    points = [Point(**p) for p in json.loads(file.read_text())] if file.exists() else []
    pictures = points[-1].pictures if points else 0
    spent = points[-1].minutes if points else 0.0
    batches = trainer.batches(step)
    while len(points) <= POINTS:
        while points and spent < minutes * len(points) / POINTS:
            batch = next(batches)
            started = monotonic()
            # The loss is asked for so that the clock stops when a GPU has finished, not when it was told.
            trainer.step(step, batch).item()
            spent += (monotonic() - started) / 60
            step += 1
            pictures += trainer.stage.sources[0].batch
        model = trainer.average.module if points else trainer.model
        points.append(Point(spent, pictures, validation_loss(model, validation, trainer.text_states)))
        run.log(minutes=round(spent, 2), pictures=pictures, loss=round(points[-1].loss, 4))
        if len(points) > 1 and (len(points) - 1) % (POINTS // SCORED) == 0:
            torch.save(trainer.average.module.state_dict(), run.folder / f"scored-{len(points) - 1}.pt")
        (run.folder / f"points-{step}.json").write_text(json.dumps([asdict(p) for p in points]))
        run.save(step, trainer.model, trainer.average, trainer.optimizers)
    return points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--count", type=int, default=24, help="prompts of one object judged at each of three points")
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    # The rate stays as it is to the end: a length in minutes is not known in steps.
    stage = STAGES["512px"]
    only_512 = replace(stage, sources=(replace(stage.sources[0], share=1.0),), steps=10**6, decay=0.0)
    vae, decoder = load_vae(stage.vae), load_vae(stage.decoder)
    sets = [latent_set(vae, only_512.sources[0].recipe, latents_root(stage.vae))]
    validation = latent_set(vae, VALIDATION[512], latents_root(stage.vae))
    torch.manual_seed(only_512.seed)
    starts = {"from 256 px": load_average(only_512.start_from), "from nothing": Transformer(Shape())}
    curves = []
    for name, model in starts.items():
        run = Run(f"weak-to-strong-{name.replace(' ', '-')}")
        points = train(Trainer(only_512, sets, text_states, model), run, validation, arguments.minutes)
        curves.append(Curve(name, [p.minutes for p in points], [p.loss for p in points]))
        table(name, points, run, lambda model: judge(model, arguments.count, decoder, text_states))
    plot = loss_plot(curves, "minutes of training at 512 px", "validation loss")
    (arguments.out / "weak-to-strong.svg").write_text(plot)


def judge(model: Transformer, count: int, vae: AutoencoderKL, text_states: TextStates) -> list[str]:
    """Return which share of `count` held-out prompts was drawn with the right object, and background."""
    scenes = held_out_scenes(count, "single", seed=14)
    counts = score(model, vae, text_states, load_scorer(Run("scorer")), scenes=scenes, side=512)
    return [share(counts, category) for category in ("single object", "background")]


def table(name: str, points: list[Point], run: Run, judged: Callable[[Transformer], list[str]]) -> None:
    """Print where a run stood, with what the judge says of the weights that were kept on the way."""
    print(f"\n| {name}: minutes | pictures | validation loss | object | background |\n| --- | --- | --- | --- | --- |")
    for i, point in enumerate(points):
        weights, shares = run.folder / f"scored-{i}.pt", ["", ""]
        if weights.exists():
            model = Transformer(Shape()).eval()
            model.load_state_dict(torch.load(weights, weights_only=True))
            shares = judged(model.to(DEVICE))
        print(f"| {point.minutes:.2f} | {point.pictures} | {point.loss:.4f} | {shares[0]} | {shares[1]} |", flush=True)


if __name__ == "__main__":
    main()
