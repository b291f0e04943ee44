from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training.restore import CHECKPOINT, TRANSFORMERS, VAES, restore
from training.run import Run
from training.stages import TEXT_RUN
from training.train_text import load_text_encoder
from training.transformer import from_weights


def test_the_committed_weights_resume_where_training_stopped(tmp_path: Path) -> None:
    restore(tmp_path)
    for stage, folder in TRANSFORMERS.items():
        model = from_weights(Run(stage, tmp_path / "runs").averaged())
        committed = load_file(CHECKPOINT / folder / "diffusion_pytorch_model.safetensors")
        name = "transformer_blocks.3.attn1.to_q.weight"
        assert torch.equal(model.state_dict()[name], committed[name].float())
    committed = load_file(CHECKPOINT / "vae" / "diffusion_pytorch_model.safetensors")
    for name in VAES:
        vae = load_file(tmp_path / name / "diffusion_pytorch_model.safetensors")
        assert torch.equal(vae["decoder.conv_out.weight"], committed["decoder.conv_out.weight"].float())
    encoder = load_text_encoder(Run(TEXT_RUN, tmp_path / "runs"))
    committed = load_file(CHECKPOINT / "text_encoder" / "model.safetensors")
    assert torch.equal(encoder.shared.weight, committed["shared.weight"].float())


def test_restoring_never_replaces_a_run(tmp_path: Path) -> None:
    (tmp_path / "runs" / "text").mkdir(parents=True)
    with pytest.raises(SystemExit, match="nothing restored"):
        restore(tmp_path)
    assert not (tmp_path / "vae-2").exists()


def test_the_error_for_an_untrained_stage_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"training\.restore"):
        Run("256px", tmp_path).averaged()
