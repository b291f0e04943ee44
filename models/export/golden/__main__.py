"""Writes every golden fixture: `models/python.sh -m export.golden tests/golden`."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from ..bundle import BundleOptions
from ..export_bundle import export_bundle
from ..quiet import quiet_libraries
from .added_tokens import write_added_tokens
from .cases import CASES
from .cuda import write_cuda_graphs
from .pipelines import CHECKPOINTS, EPSILON, TinyCheckpoint, write_checkpoint
from .samplers import write_samplers
from .stages import write_captions, write_noise, write_noise_streams, write_tokens, write_whole_decode
from .tensors import write_tensors
from .trace import Case, Trace, load_pipeline, trace

PROMPTS = Path(__file__).parents[3] / "tests" / "catalogs" / "parti-prompts.tsv"
FOLDERS = ("bundles", "cases", "stages")
SIZE = "256"
UNIGRAM_AND_BPE = ("tiny-epsilon", "tiny-velocity")


def main(arguments: list[str]) -> None:
    """Replaces the folders `bundles`, `cases` and `stages` of the target once all of them are written."""
    parser = argparse.ArgumentParser(prog="python -m export.golden", description=__doc__)
    parser.add_argument("target", type=Path, help="folder that receives bundles/, cases/ and stages/")
    target = parser.parse_args(arguments).target
    quiet_libraries()
    with tempfile.TemporaryDirectory() as scratch:
        write_fixtures(Path(scratch))
        for folder in FOLDERS:
            shutil.rmtree(target / folder, ignore_errors=True)
            shutil.copytree(Path(scratch) / folder, target / folder)


def write_fixtures(target: Path) -> None:
    prompts = [line.split("\t")[0] for line in PROMPTS.read_text(encoding="utf-8").splitlines()[1:]]
    for tiny in CHECKPOINTS:
        checkpoint = target / "checkpoints" / tiny.name
        write_checkpoint(tiny, prompts, checkpoint)
        write_bundle(tiny, checkpoint, target / "bundles" / tiny.name)
        for case in CASES:
            if case.bundle == tiny.name:
                write_case(case, trace(load_pipeline(checkpoint), case, tiny.max_tokens), target / "cases" / case.name)
                print(f"case {case.name} written")
    stages = target / "stages"
    write_noise(stages)
    write_noise_streams(stages)
    write_samplers(stages / "samplers.json")
    write_captions(stages / "captions.json")
    write_whole_decode(target / "checkpoints" / EPSILON.name / "vae", stages / "whole-decode.json")
    write_cuda_graphs(target / "checkpoints" / EPSILON.name, stages)
    tokenizers = {name: target / "bundles" / name / "tokenizer.json" for name in UNIGRAM_AND_BPE}
    for name, file in tokenizers.items():
        write_tokens(file, prompts, stages / f"tokens-{name}.json")
    write_added_tokens(tokenizers, stages / "added-tokens.json")


def write_bundle(tiny: TinyCheckpoint, checkpoint: Path, target: Path) -> None:
    options = BundleOptions(
        name=tiny.name,
        description="A tiny pipeline with random weights, for tests",
        license="Apache-2.0",
        source="random weights, models/export/golden",
        sizes=(SIZE,),
        max_tokens=tiny.max_tokens,
        clean_caption=True,
    )
    export_bundle(checkpoint, target, options)


def write_case(case: Case, traced: Trace, folder: Path) -> None:
    """Writes case.json, with the inputs and the small values, and tensors.bin."""
    # At a real size the decoded image takes 750 kB; the final image covers it.
    kept = {name: array for name, array in traced.tensors.items() if not (case.binning and name == "decoded")}
    decoded = traced.tensors["decoded"].shape
    description = {
        "bundle": case.bundle,
        "prompt": case.prompt,
        "negativePrompt": case.negative_prompt,
        "size": SIZE,
        "width": case.width,
        "height": case.height,
        "binning": case.binning,
        "sampledWidth": decoded[3],
        "sampledHeight": decoded[2],
        "seed": case.seed,
        "steps": case.steps,
        "guidance": case.guidance,
        "text": traced.texts[0],
        "negativeText": traced.texts[1] if len(traced.texts) > 1 else None,
        "timesteps": traced.timesteps,
        "callIndex": traced.call_index,
        "tensors": write_tensors(kept, folder),
    }
    text = json.dumps(description, ensure_ascii=False, indent=1)
    (folder / "case.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
