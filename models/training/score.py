"""How well a stage follows held-out prompts, judged by the scorer.  python -m training.score 256px-more --count 150"""

import argparse
import math
from collections.abc import Iterator

import numpy as np
import torch
from diffusers import AutoencoderKL

from training.captions import caption
from training.paths import CACHE
from training.run import Run
from training.sample import sample
from training.scenes import Scene
from training.scorer import ATTRIBUTES, Scorer, held_out_scenes, load_scorer, shrink, targets
from training.stages import TEXT_RUN
from training.text_states import TextStates
from training.tokenizer import load_tokenizer
from training.train_text import PLACES, load_text_encoder
from training.train_transformer import load_average
from training.train_vae import to_tensor
from training.transformer import Transformer

BATCH = 10


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
    else:
        yield "single object", right["object"]


@torch.no_grad()
def judge(scorer: Scorer, images: np.ndarray) -> list[list[int]]:
    """Return the index of each attribute's value for images uint8 [B, h, h, 3]."""
    return torch.stack([x.argmax(1) for x in scorer(shrink(to_tensor(images)))], 1).tolist()


def score(
    model: Transformer, vae: AutoencoderKL, text_states: TextStates, scorer: Scorer, *, scenes: list[Scene], side: int
) -> dict[str, tuple[int, int]]:
    """Draw every scene from a caption of its own; return the number right and the number judged by category."""
    rng = np.random.default_rng(13)
    counts: dict[str, tuple[int, int]] = {}
    for i in range(0, len(scenes), BATCH):
        group = scenes[i : i + BATCH]
        prompts = [caption(s, rng, whole=True) for s in group]
        size = {"width": side, "height": side, "base_side": side // 8}
        images = sample(model, vae, text_states, prompts, **size, seed=i)
        for read, scene in zip(judge(scorer, images), group, strict=True):
            for category, right in verdicts(read, targets(scene), scene):
                before = counts.get(category, (0, 0))
                counts[category] = (before[0] + right, before[1] + 1)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--count", type=int, default=500, help="prompts of one object, and as many of two")
    parser.add_argument("--side", type=int, default=256, help="pixels")
    arguments = parser.parse_args()
    vae = AutoencoderKL.from_pretrained(CACHE / "vae").eval()
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    scorer, model = load_scorer(Run("scorer")), load_average(arguments.stage)
    scenes = held_out_scenes(arguments.count, 0.0, seed=14) + held_out_scenes(arguments.count, 1.0, seed=15)
    counts = score(model, vae, text_states, scorer, scenes=scenes, side=arguments.side)
    print("| category | right | prompts | share | 95 % interval |\n| --- | --- | --- | --- | --- |")
    for category, (right, count) in counts.items():
        low, high = interval(right, count)
        print(f"| {category} | {right} | {count} | {right / count:.3f} | {low:.3f} to {high:.3f} |")


if __name__ == "__main__":
    main()
