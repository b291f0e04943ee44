"""Measures how well a stage follows held-out prompts, half of them short and half dense, judged by the scorer.

python -m training.score 512px --count 150 --side 512 --kind single --kind pair
"""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch
from diffusers import AutoencoderKL

from training.captions import caption
from training.device import DEVICE, ON_GPU
from training.run import Run
from training.sample import sample
from training.scenes import KINDS, Scene, held_out_scenes
from training.schedule import MANY_STEPS, Sampling
from training.scorer import ATTRIBUTES, Scorer, load_scorer, read, targets
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


def verdicts(values: list[int], wanted: list[int], scene: Scene) -> Iterator[tuple[str, bool]]:
    """Yield each category with whether the picture is correct in it, as in GenEval (Ghosh et al. 2023)."""
    found = {name: named[i] for (name, named), i in zip(ATTRIBUTES.items(), values, strict=True)}
    right = {name: a == b for name, a, b in zip(ATTRIBUTES, values, wanted, strict=True)}
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


Counts = Counter[tuple[str, bool]]
"""How often a category was judged correct (True) and wrong (False)."""


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
    """Draw every scene from its own caption, only dense or only short ones according to `dense`, and judge it."""
    rng = np.random.default_rng(13)
    counts: Counts = Counter()
    for i in range(0, len(scenes), BATCH):
        group = scenes[i : i + BATCH]
        prompts = [caption(s, rng, whole=True, dense=dense) for s in group]
        size = {"width": side, "height": side, "base_side": side // 8}
        images = sample(model, vae, text_states, prompts, **size, sampling=sampling, seed=i)
        found = read(scorer, to_tensor(torch.from_numpy(images).permute(0, 3, 1, 2))).tolist()
        for values, scene in zip(found, group, strict=True):
            counts.update(verdicts(values, targets(scene), scene))
        print(f"{i + len(group)} of {len(scenes)} pictures judged", file=sys.stderr)
    return counts


def share(counts: Counts, category: str) -> str:
    """Return a category's share of correct pictures with its interval, for a table's cell."""
    right, wrong = counts[category, True], counts[category, False]
    low, high = interval(right, right + wrong)
    return f"{right / (right + wrong):.3f} ({low:.3f} to {high:.3f}) of {right + wrong}"


def table(by_captions: dict[str, Counts]) -> str:
    """Return a table in Markdown: a row for each category, a column for each kind of caption."""
    rows = [f"| category | {' | '.join(by_captions)} |", f"| --- |{' --- |' * len(by_captions)}"]
    for category in dict.fromkeys(category for counts in by_captions.values() for category, _ in counts):
        rows.append(f"| {category} | {' | '.join(share(counts, category) for counts in by_captions.values())} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--count", type=int, default=500, help="prompts of each kind of scene")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only scenes of this kind; may be repeated")
    parser.add_argument("--side", type=int, default=256, help="pixels")
    arguments = parser.parse_args()
    stage = STAGES[arguments.stage]
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    scorer, model, vae = load_scorer(Run("scorer")), load_average(arguments.stage).to(DEVICE), load_vae(stage.decoder)
    scenes = [s for kind in arguments.kind or KINDS for s in held_out_scenes(arguments.count, kind, seed=14)]
    asked = {"side": arguments.side, "sampling": stage.sampling}
    short = score(model, vae, text_states, scorer, scenes=scenes[::2], dense=False, **asked)
    dense = score(model, vae, text_states, scorer, scenes=scenes[1::2], dense=True, **asked)
    print(table({"short captions": short, "dense captions": dense, "both": short + dense}))


if __name__ == "__main__":
    main()
