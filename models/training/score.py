"""How well a stage follows held-out prompts, judged by the scorer.

python -m training.score 512px --count 150 --side 512
"""

import argparse
import math
from collections.abc import Iterator

import numpy as np
import torch
from diffusers import AutoencoderKL

from training.captions import caption
from training.device import DEVICE, ON_GPU
from training.run import Run
from training.sample import sample
from training.scenes import KINDS, Scene
from training.schedule import MANY_STEPS, Sampling
from training.scorer import ATTRIBUTES, Scorer, held_out_scenes, load_scorer, shrink, targets
from training.stages import STAGES, TEXT_RUN
from training.text_states import TextStates
from training.tokenizer import load_tokenizer
from training.train_text import PLACES, load_text_encoder
from training.train_transformer import load_average
from training.train_vae import load_vae, to_tensor
from training.transformer import Transformer

BATCH = 100 if ON_GPU else 10


def interval(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z = 1.96
    share, spread = right / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return middle - half, middle + half


def verdicts(read: list[int], wanted: list[int], scene: Scene) -> Iterator[tuple[str, bool]]:
    """Yield each category with whether the picture is right in it, as GenEval does (Ghosh et al. 2023)."""
    found = {name: values[i] for (name, values), i in zip(ATTRIBUTES.items(), read, strict=True)}
    right = {name: a == b for name, a, b in zip(ATTRIBUTES, read, wanted, strict=True)}
    yield "background", right["background"]
    yield "style", right["style"]
    if scene.relation:
        both = {o.name for o in scene.objects}
        yield "two objects", both == {found[place] for place in PLACES} - {"none"}
        yield "position", all(right[place] for place in PLACES)
    elif scene.count > 1:
        yield "counting", right["object"] and right["count"]
    elif scene.size == "normal":
        yield "single object", right["object"]
    else:
        yield "size", right["object"] and right["size"]


@torch.no_grad()
def judge(scorer: Scorer, images: np.ndarray) -> list[list[int]]:
    """Return the index of each attribute's value for images uint8 [B, h, h, 3]."""
    pictures = to_tensor(torch.from_numpy(images).permute(0, 3, 1, 2))
    return torch.stack([x.argmax(1) for x in scorer(shrink(pictures))], 1).tolist()


Counts = dict[str, tuple[int, int]]
"""The number right and the number judged by category."""


def score(
    model: Transformer,
    vae: AutoencoderKL,
    text_states: TextStates,
    scorer: Scorer,
    *,
    scenes: list[Scene],
    side: int,
    dense: bool | None = None,
    sampling: Sampling = MANY_STEPS,
) -> Counts:
    """Draw every scene from a caption of its own, dense or short ones only if `dense` says so, and judge it."""
    rng = np.random.default_rng(13)
    counts: Counts = {}
    for i in range(0, len(scenes), BATCH):
        group = scenes[i : i + BATCH]
        prompts = [caption(s, rng, whole=True, dense=dense) for s in group]
        size = {"width": side, "height": side, "base_side": side // 8}
        images = sample(model, vae, text_states, prompts, **size, sampling=sampling, seed=i)
        for read, scene in zip(judge(scorer, images), group, strict=True):
            for category, right in verdicts(read, targets(scene), scene):
                before = counts.get(category, (0, 0))
                counts[category] = (before[0] + right, before[1] + 1)
    return counts


def table(counts: Counts) -> str:
    """Return a table of the shares with their intervals, in Markdown."""
    rows = ["| category | right | prompts | share | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    for category, (right, count) in counts.items():
        low, high = interval(right, count)
        rows.append(f"| {category} | {right} | {count} | {right / count:.3f} | {low:.3f} to {high:.3f} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--count", type=int, default=500, help="prompts of each kind of scene")
    parser.add_argument("--side", type=int, default=256, help="pixels")
    parser.add_argument("--captions", choices=("short", "dense"), help="only these, where both come otherwise")
    arguments = parser.parse_args()
    stage = STAGES[arguments.stage]
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    scorer, model = load_scorer(Run("scorer")), load_average(arguments.stage).to(DEVICE)
    scenes = [s for kind in KINDS for s in held_out_scenes(arguments.count, kind, seed=14)]
    dense = arguments.captions and arguments.captions == "dense"
    asked = {"scenes": scenes, "side": arguments.side, "dense": dense, "sampling": stage.sampling}
    print(table(score(model, load_vae(stage.decoder), text_states, scorer, **asked)))


if __name__ == "__main__":
    main()
