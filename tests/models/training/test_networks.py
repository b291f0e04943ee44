"""Networks, noise schedule, optimiser and resuming."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch
from torch import nn

from training.finish_vae import standardise
from training.muon import orthogonalise
from training.run import Average, Length, Run, optimisers, set_rate, trapezoid
from training.schedule import noised, signal_and_noise
from training.stages import STAGES, divided
from training.text_states import TextStates
from training.tokenizer import MAX_TOKENS, train_tokenizer
from training.train_text import build_text_encoder
from training.train_vae import build_vae, reconstruct
from training.train_vae import train as train_vae
from training.transformer import SHAPE, Transformer, to_diffusers

SMALL = replace(SHAPE, layers=2, heads=2, head_width=16, caption_width=24)


def scrambled(module: nn.Module) -> nn.Module:
    """New modules start with zeros that would hide a mistake."""
    generator = torch.Generator().manual_seed(0)
    for p in module.parameters():
        p.data = torch.randn(p.shape, generator=generator) * 0.1
    return module.eval()


@pytest.mark.parametrize(("height", "width", "base_side"), [(16, 16, 16), (32, 32, 32), (18, 42, 32), (64, 30, 64)])
@torch.no_grad()
def test_the_transformer_equals_that_of_diffusers(height: int, width: int, base_side: int) -> None:
    model = scrambled(Transformer(SMALL))
    reference = to_diffusers(model, base_side)
    generator = torch.Generator().manual_seed(1)
    latents, caption = torch.randn(2, 4, height, width, generator=generator), torch.randn(2, 7, 24, generator=generator)
    timestep, mask = torch.tensor([3, 999]), torch.tensor([[1] * 7, [1] * 3 + [0] * 4])
    ours = model(latents, timestep, caption, mask, base_side=base_side)
    theirs = reference(
        latents,
        encoder_hidden_states=caption,
        timestep=timestep,
        encoder_attention_mask=mask,
        added_cond_kwargs={"resolution": None, "aspect_ratio": None},
    ).sample
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert (ours - model(latents, timestep, caption, torch.ones_like(mask), base_side=base_side)).abs().max() > 1e-3


@torch.no_grad()
def test_standardising_keeps_pictures_and_normalises_latents() -> None:
    vae = scrambled(build_vae())
    images = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(2)) * 2 - 1
    before = reconstruct(vae, images)
    latents = standardise(vae, images).quant_conv(vae.encoder(images)).chunk(2, 1)[0]
    torch.testing.assert_close(reconstruct(vae, images), before, rtol=0, atol=1e-4)
    torch.testing.assert_close(latents.mean((0, 2, 3)), torch.zeros(4), rtol=0, atol=1e-3)
    torch.testing.assert_close(latents.std((0, 2, 3)), torch.ones(4), rtol=0, atol=1e-3)


def test_a_decoder_trained_further_keeps_the_latents_it_decodes(tmp_path: Path) -> None:
    vae = scrambled(build_vae())
    before = {name: weight.clone() for name, weight in vae.state_dict().items()}
    further = train_vae(
        Run("vae", tmp_path), Length(2), batch=2, lr=1e-2, scale=1e-4, start_from=vae, decoder_only=True
    )
    moved = {name for name, weight in further.state_dict().items() if not torch.equal(weight, before[name])}
    assert "decoder.conv_out.weight" in moved
    assert not any(name.startswith(("encoder.", "quant_conv.")) for name in moved)


def test_the_last_timestep_is_pure_noise() -> None:
    signal, sigma = signal_and_noise(torch.device("cpu"))
    assert signal[-1] < 1e-3
    assert sigma[-1] > 1 - 1e-6


def test_latents_and_noise_can_be_recovered_from_noisy_latents_and_v() -> None:
    x, noise = torch.randn(2, 1, 4, 2, 2)
    x, noise = x.expand(3, 4, 2, 2), noise.expand(3, 4, 2, 2)
    t = torch.tensor([0, 400, 999])
    noisy, v = noised(x, noise, t)
    signal, sigma = (f[t].view(-1, 1, 1, 1) for f in signal_and_noise(torch.device("cpu")))
    torch.testing.assert_close(signal * noisy - sigma * v, x, rtol=0, atol=1e-5)
    torch.testing.assert_close(sigma * noisy + signal * v, noise, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 16, 40), (2, 40, 16), (1, 12, 12)])
def test_orthogonalised_updates_have_singular_values_near_one(shape: tuple[int, ...]) -> None:
    update = torch.randn(shape, generator=torch.Generator().manual_seed(4))
    result = orthogonalise(update)
    assert result.shape == update.shape
    values = torch.linalg.svdvals(result)
    assert values.max() < 1.3
    assert values.median() > 0.6


def test_a_resumed_run_ends_like_an_uninterrupted_one(tmp_path: Path) -> None:
    def train(run: Run, stops: list[int]) -> nn.Module:
        for stop in stops:
            torch.manual_seed(0)
            model = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 2))
            average = Average(model, 0.9)
            optimizers = optimisers(model, lambda _, p: p.ndim == 2, 1e-2)
            for step in range(run.resume(model, average, optimizers), stop):
                set_rate(optimizers, 1e-2 * trapezoid(step, 10, 2))
                x = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
                model(x).square().mean().backward()
                for optimizer in optimizers:
                    optimizer.step()
                    optimizer.zero_grad()
                average.update(model)
            run.save(stop, model, average, optimizers)
        return average.module

    whole, parted = train(Run("whole", tmp_path), [10]), train(Run("parted", tmp_path), [4, 10])
    for a, b in zip(whole.parameters(), parted.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_any_text_is_accepted_and_ends_with_the_end_token() -> None:
    tokenizer = train_tokenizer()
    for text in ("", "A glossy cat", "一只猫 on 红色", "tab\tand \u0007 control", "emoji 😀👩‍👩‍👧", "café ﬁ ½"):
        ids = tokenizer(text).input_ids
        assert ids[-1] == 1
        assert 2 not in ids
        assert tokenizer.decode(ids[:-1], clean_up_tokenization_spaces=False) == text
    states, mask = TextStates(tokenizer, build_text_encoder())(["", "word " * 500])
    assert states.shape == (2, MAX_TOKENS, 192)
    assert mask.sum(1).tolist() == [1, MAX_TOKENS]


@pytest.mark.parametrize("resumed_at", [0, 5000])
def test_a_stage_in_minutes_has_the_steps_that_fit_at_its_pace_wherever_it_is_resumed(
    resumed_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(step=3)
    monkeypatch.setattr("training.run.time.monotonic", lambda: next(clock))
    length, step = Length(1000, minutes=5), resumed_at
    while step < length.total(step):
        step += 1
    assert 118 <= step - resumed_at <= 122


def test_a_stage_without_minutes_has_its_own_steps() -> None:
    assert Length(7).total(3) == 7


def test_a_divided_stage_has_fewer_pictures_and_a_lower_rate_and_never_an_empty_batch() -> None:
    stage = STAGES["1024px-compressed"]
    small = divided(stage, 16)
    assert [s.batch for s in small.sources] == [max(1, s.batch // 16) for s in stage.sources]
    assert [s.recipe.count for s in small.sources] == [s.recipe.count // 16 for s in stage.sources]
    assert small.lr == stage.lr / 4
    assert {s.batch for s in divided(stage, 10**6).sources} == {1}
