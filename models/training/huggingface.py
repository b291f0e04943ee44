"""A trained model as a Hugging Face PixArt-Σ folder, in half precision.  python -m training.huggingface 256px FOLDER"""

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PixArtSigmaPipeline

from network.kv_compression import add_compression, is_compression_weight
from network.shuffle_decoder import ShuffleDecoder, load_decoder, save_decoder
from training.paths import CACHE
from training.run import Run
from training.schedule import MANY_STEPS, Sampling, scheduler
from training.stages import STAGES, TEXT_RUN
from training.text_states import TextStates
from training.tokenizer import MAX_TOKENS, load_tokenizer
from training.train_text import load_text_encoder
from training.train_transformer import load_average
from training.transformer import Transformer, to_diffusers


def save_folder(
    folder: Path,
    model: Transformer,
    vae: AutoencoderKL,
    text_states: TextStates,
    *,
    base_side: int,
    sampling: Sampling = MANY_STEPS,
    decoder: ShuffleDecoder | None = None,
) -> None:
    """Write the folder that diffusers' `PixArtSigmaPipeline` and `models/export` read, with the positions of one size.

    `decoder` is stored beside the autoencoder, where the exporter finds it and diffusers does not see it.
    """
    pipeline = PixArtSigmaPipeline(
        tokenizer=text_states.tokenizer,
        text_encoder=text_states.encoder,
        vae=vae,
        transformer=to_diffusers(model, base_side),
        scheduler=scheduler(sampling.order),
    )
    pipeline.to(torch.float16).save_pretrained(folder, safe_serialization=True)
    _forget_origin(folder / "vae" / "config.json")
    if decoder:
        save_decoder(decoder, folder / "decoder")
    if compression := model.shape.kv_compression:
        left_out = {n: p.half().contiguous() for n, p in model.state_dict().items() if is_compression_weight(n)}
        add_compression(folder / "transformer", compression, left_out)


def _forget_origin(config: Path) -> None:
    """Remove the path of the weights on this machine, which diffusers writes."""
    values = json.loads(config.read_text())
    values.pop("_name_or_path", None)
    config.write_text(json.dumps(values, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--base-side", type=int, default=32, help="latent side of the size whose positions the folder stores"
    )
    arguments = parser.parse_args()
    stage = STAGES[arguments.stage]
    model = load_average(arguments.stage)
    vae, beside = AutoencoderKL.from_pretrained(CACHE / stage.decoder), CACHE / stage.decoder / "decoder"
    decoder = load_decoder(beside) if beside.exists() else None
    text_states = TextStates(load_tokenizer(), load_text_encoder(Run(TEXT_RUN)))
    steps, guidance = stage.sampling.steps, stage.sampling.guidance
    positions_and_steps = {"base_side": arguments.base_side, "sampling": stage.sampling}
    save_folder(arguments.folder, model, vae, text_states, **positions_and_steps, decoder=decoder)
    weights = "--text-encoder fp16 --transformer fp16 --vae fp16"
    print(f"export it with --max-tokens {MAX_TOKENS} {weights} --steps {steps} --guidance {guidance}")


if __name__ == "__main__":
    main()
