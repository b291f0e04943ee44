"""The held-out prompts of the contact sheet: first one for each object, all with combinations outside training.

python -m training.sheet 40 > sheet.jsonl
"""

import argparse
import json

import numpy as np

from training.captions import plain_caption
from training.icons import OBJECT_NAMES, STYLES
from training.scenes import BACKGROUNDS, Placed, Scene, held_out


def sheet_prompts(count: int) -> list[tuple[str, Scene]]:
    """Return plain captions with their scenes; objects in a fixed shuffle, then again with other combinations."""
    rng = np.random.default_rng(40)
    order = [OBJECT_NAMES[i] for i in rng.permutation(len(OBJECT_NAMES))]
    chosen = []
    combinations = {name: _held_out_combinations(name, rng) for name in order}
    for turn in range(count):
        for name in order:
            if turn < len(combinations[name]) and len(chosen) < count:
                style, background = combinations[name][turn]
                scene = Scene(background, (Placed(name, style, 0.0, 0.0, 0.74),))
                chosen.append((plain_caption(name, style, background), scene))
    return chosen


def _held_out_combinations(name: str, rng: np.random.Generator) -> list[tuple[str, str]]:
    found = [(s, b) for s in STYLES for b in BACKGROUNDS if held_out(name, s, b)]
    return [found[i] for i in rng.permutation(len(found))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=40)
    for prompt, _ in sheet_prompts(parser.parse_args().count):
        print(json.dumps({"prompt": prompt}))


if __name__ == "__main__":
    main()
