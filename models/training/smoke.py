"""The whole recipe at toy scale, to check that all stages fit together.  python -m training.smoke FOLDER

Writes a Hugging Face folder that `python -m export` accepts; its pictures are noise.
"""

import argparse
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch

from network.shuffle_decoder import DecoderShape
from training.finish_vae import standardise
from training.huggingface import save_folder
from training.latents import Recipe, latent_set
from training.run import Length, Run
from training.stages import STAGES
from training.text_states import TextStates
from training.tokenizer import load_tokenizer
from training.train_decoder import train as train_decoder
from training.train_text import train as train_text
from training.train_transformer import Trainer
from training.train_vae import scene_pool, to_tensor
from training.train_vae import train as train_vae
from training.transformer import Transformer, compress

TOY_DECODER = DecoderShape(4, (16, 8, 8), (1, 1, 1))


def quarter(recipe: Recipe) -> Recipe:
    """Return a recipe for two pictures with a quarter of each side."""
    sides = {"width": recipe.width // 4, "height": recipe.height // 4, "base_side": recipe.base_side // 4}
    return replace(recipe, count=2, **sides)


def smoke(folder: Path) -> Path:
    """Run all stages with a few steps each and return the Hugging Face folder."""
    runs = folder / "runs"
    vae = train_vae(Run("vae", runs), Length(4), batch=4, lr=1e-3, scale=0.005)
    standardise(vae, to_tensor(scene_pool(20, 128, 16)))
    further = {"start_from": vae, "decoder_only": True}
    vae = train_vae(Run("vae-decoder", runs), Length(2), batch=4, lr=1e-3, scale=0.005, **further)
    decoder = train_decoder(Run("decoder", runs), Length(2), vae=vae, shape=TOY_DECODER, lr=1e-3, scale=0.005)
    encoder = train_text(Run("text", runs), Length(8), batch=16, lr=2e-3).requires_grad_(False)
    text_states = TextStates(load_tokenizer(), encoder)
    torch.manual_seed(0)
    models: dict[str | None, Transformer] = {None: Transformer()}
    for name, stage in STAGES.items():
        sources = tuple(replace(s, recipe=quarter(s.recipe), batch=2) for s in stage.sources)
        toy = replace(stage, sources=sources, steps=4)
        sets = [latent_set(vae, source.recipe, folder / "latents") for source in toy.sources]
        model = deepcopy(models[stage.start_from])
        trainer = Trainer(toy, sets, text_states, compress(model, stage.compress) if stage.compress else model)
        trainer.train(Run(name, runs), vae, samples=1)
        models[name] = trainer.average.module.requires_grad_(True)
    save_folder(folder / "model", models["2k-compressed"], vae, text_states, base_side=32, decoder=decoder)
    return folder / "model"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    print(smoke(parser.parse_args().folder))


if __name__ == "__main__":
    main()
