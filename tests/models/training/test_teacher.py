"""The targets of a few-step student."""

import torch

from training.schedule import signal_and_noise
from training.teacher import PART, STRIDE, WALK, Teacher

NOTHING = torch.zeros(1, 1, 4), torch.ones(1, 1, dtype=torch.long)


class Sees(torch.nn.Module):
    """Predicts the v of a picture that depends on the latents, the timestep and the caption."""

    def __init__(self, by_latents: float, by_text: float = 0.0):
        super().__init__()
        self.by_latents, self.by_text = by_latents, by_text

    def image(self, latents: torch.Tensor, timestep: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        told = states.mean((1, 2)).view(-1, 1, 1, 1)
        return torch.tanh(self.by_latents * latents + timestep.view(-1, 1, 1, 1) / 1000) + self.by_text * told

    def forward(
        self, latents: torch.Tensor, timestep: torch.Tensor, states: torch.Tensor, mask: torch.Tensor, *, base_side: int
    ) -> torch.Tensor:
        signal, noise = level(timestep)
        return (signal * latents - self.image(latents, timestep, states)) / noise


def level(timestep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    signal, noise = (f[timestep.clamp(min=0)].view(-1, 1, 1, 1) for f in signal_and_noise(timestep.device))
    clean = (timestep < 0).view(-1, 1, 1, 1)
    return torch.where(clean, 1.0, signal), torch.where(clean, 0.0, noise)


def ddim(latents: torch.Tensor, image: torch.Tensor, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    (signal, noise), (signal_end, noise_end) = level(start), level(end)
    return signal_end * image + noise_end / noise * (latents - signal * image)


def test_places_are_spread_over_all_steps_of_the_walk() -> None:
    timesteps = Teacher.timesteps((torch.arange(2 * WALK) + 0.5) / (2 * WALK))
    assert timesteps.unique().tolist() == [STRIDE * i - 1 for i in range(1, WALK + 1)]
    assert Teacher.timesteps(torch.ones(1)).item() == 999


def test_one_step_with_the_target_lands_where_a_teachers_step_and_a_students_jump_do() -> None:
    steps = torch.arange(1, WALK + 1)
    noisy = torch.randn(WALK, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    states, mask = torch.ones(WALK, 1, 4), torch.ones(WALK, 1, dtype=torch.long)
    start, after, end = steps * STRIDE - 1, (steps - 1) * STRIDE - 1, (steps - 1) // PART * PART * STRIDE - 1
    teacher, student = Sees(0.5, by_text=0.3), Sees(-0.2)
    v = Teacher(teacher, NOTHING).target(student, noisy, start, (states, mask), base_side=2)
    signal, noise = level(start)
    reached = ddim(noisy, signal * noisy - noise * v, start, end)
    # Guidance of 4.5 from a teacher that predicted 0.3 more with the caption than without.
    landed = ddim(noisy, teacher.image(noisy, start, NOTHING[0]) + 4.5 * 0.3, start, after)
    jumps = after != end
    jumped = ddim(landed[jumps], student.image(landed, after, states)[jumps], after[jumps], end[jumps])
    torch.testing.assert_close(reached[jumps], jumped, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(reached[~jumps], landed[~jumps], rtol=1e-3, atol=1e-3)
