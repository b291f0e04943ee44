"""The benefit at 512 px of starting from the 256 px model: two runs of equal length, one from it and one from scratch.

python -m training.weak_to_strong --minutes 50

Each run ends after that many minutes of training, not counting validation and scoring; a stopped run resumes where it
was. Prints the tables, and writes the curves of both to `weak-to-strong.svg` in the given folder and their final
samples to `weak-to-strong.webp`. With `--only` one run is trained and judged, so that two processes can do both side by
side; the command without it then only collects the results.
"""

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image

from training.device import DEVICE
from training.latents import LatentSet, latent_set, latents_root
from training.loss_plot import Curve, loss_plot
from training.run import Run
from training.sample import contact_sheet, sample
from training.scenes import held_out_scenes
from training.score import score, share
from training.scorer import load_scorer
from training.sheet import sheet_prompts
from training.stages import STAGES, TEXT_RUN, Stage, divided
from training.text_states import TextStates
from training.tokenizer import load_tokenizer
from training.train_text import load_text_encoder
from training.train_transformer import Trainer, load_average
from training.train_vae import load_vae
from training.transformer import Transformer
from training.validate import VALIDATION, validation_loss

POINTS = 12
"""How often the loss is measured during a run."""
SCORED = 3
"""At how many of these points, evenly spaced, pictures are drawn and judged."""
STARTS = {"256px": "from 256 px", "nothing": "from scratch"}


@dataclass(frozen=True)
class Point:
    """A point of a run: minutes trained, pictures seen, and the averaged weights' loss on pictures outside training."""

    minutes: float
    pictures: int
    loss: float


def train(trainer: Trainer, run: Run, validation: LatentSet, minutes: float) -> list[Point]:
    """Train for `minutes`, and measure the loss at the start and at POINTS times along the way."""
    step = run.resume(trainer.model, trainer.average, trainer.optimizers)
    # Points are named after the step of their checkpoint: a run that is killed between the two loses neither.
    file = run.folder / f"points-{step}.json"
    points = [Point(**p) for p in json.loads(file.read_text())] if file.exists() else []
    pictures = points[-1].pictures if points else 0
    spent = points[-1].minutes if points else 0.0
    batches = trainer.batches(step)
    while len(points) <= POINTS:
        while points and spent < minutes * len(points) / POINTS:
            batch = next(batches)
            started = monotonic()
            # Reading the loss makes the clock stop when a GPU has finished, not when the work was queued.
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
    parser.add_argument(
        "--divide", type=int, default=1, help="divide data and batches by this, for training on a processor"
    )
    parser.add_argument("--lr", type=float, help="learning rate; default: the stage's own, scaled by --divide")
    parser.add_argument(
        "--count", type=int, default=24, help="number of single-object prompts judged at each of three points"
    )
    parser.add_argument("--before", type=float, help="minutes of the stages up to 256 px, to add them to the plot")
    parser.add_argument("--only", choices=STARTS, help="train and judge only this run")
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    stage = comparable(divided(STAGES["512px"], arguments.divide), arguments.lr)
    vae, decoder = load_vae(stage.vae), load_vae(stage.decoder)
    sets = [latent_set(vae, stage.sources[0].recipe, latents_root(stage.vae))]
    validation = latent_set(vae, VALIDATION[512], latents_root(stage.vae))
    curves = []
    for start in [arguments.only] if arguments.only else STARTS:
        torch.manual_seed(stage.seed)
        model = load_average(stage.start_from) if start == "256px" else Transformer()
        run = Run(run_name(start))
        run.claim((stage, arguments.minutes))
        points = train(Trainer(stage, sets, text_states, model), run, validation, arguments.minutes)
        curves.append(Curve(STARTS[start], [p.minutes for p in points], [p.loss for p in points]))
        print(table(STARTS[start], points, judged(run, arguments.count, decoder, text_states)), flush=True)
    if arguments.only:
        return
    if arguments.before:
        x = [arguments.before + minutes for minutes in curves[0].x]
        curves.append(Curve(f"{STARTS['256px']}, including earlier stages", x, curves[0].y))
    plot = loss_plot(curves, "minutes of training", "validation loss at 512 px")
    (arguments.out / "weak-to-strong.svg").write_text(plot)
    draw(arguments.out / "weak-to-strong.webp", decoder, text_states)


def comparable(stage: Stage, lr: float | None) -> Stage:
    """Return the stage with only its first source and a constant rate: a length in minutes is not known in steps."""
    return replace(stage, sources=(replace(stage.sources[0], share=1.0),), steps=10**6, decay=0.0, lr=lr or stage.lr)


def draw(file: Path, vae: AutoencoderKL, text_states: TextStates) -> None:
    """Draw eight held-out prompts with each run's final weights, one row for each run, at half size."""
    prompts = [prompt for prompt, _ in sheet_prompts(8)]
    size = {"width": 512, "height": 512, "base_side": 64}
    models = [load_average(run_name(start)).eval().to(DEVICE) for start in STARTS]
    rows = [sample(model, vae, text_states, prompts, **size) for model in models]
    Image.fromarray(contact_sheet(np.concatenate(rows), len(prompts))).reduce(2).save(file)


def run_name(start: str) -> str:
    return f"weak-to-strong-{start}"


def judged(run: Run, count: int, vae: AutoencoderKL, text_states: TextStates) -> dict[int, list[str]]:
    """Return, by point, the share of `count` held-out prompts that its weights draw with the right object, and
    background; already judged pictures are not drawn again.
    """
    shares = {}
    scenes = held_out_scenes(count, "single", seed=14)
    for i in range(POINTS // SCORED, POINTS + 1, POINTS // SCORED):
        file = run.folder / f"judged-{i}-{count}.json"
        if not file.exists():
            model = Transformer().eval()
            model.load_state_dict(torch.load(run.folder / f"scored-{i}.pt", weights_only=True))
            scorer = load_scorer(Run("scorer"))
            counts = score(model.to(DEVICE), vae, text_states, scorer, scenes=scenes, side=512)
            file.write_text(json.dumps([share(counts, category) for category in ("single object", "background")]))
        shares[i] = json.loads(file.read_text())
    return shares


def table(name: str, points: list[Point], shares: dict[int, list[str]]) -> str:
    """Return a Markdown table of a run's points, with the scorer's shares where there are some."""
    rows = [
        f"| {name}: minutes | pictures | validation loss | object | background |",
        "| --- | --- | --- | --- | --- |",
    ]
    for i, point in enumerate(points):
        of_objects, of_backgrounds = shares.get(i, ["", ""])
        rows.append(f"| {point.minutes:.1f} | {point.pictures} | {point.loss:.4f} | {of_objects} | {of_backgrounds} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
