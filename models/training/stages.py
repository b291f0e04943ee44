"""The transformer's stages, weak to strong: each starts from the averaged weights of the one before."""

from dataclasses import dataclass

from training.latents import Recipe


@dataclass(frozen=True)
class Stage:
    """Pictures of one size (`base_side`: its latent side, which sets the positions) and how long to train on them."""

    seed: int
    base_side: int
    shapes: tuple[tuple[int, int, int], ...]
    start_from: str | None
    steps: int
    batch: int
    lr: float
    pair_share: float = 0.15

    def recipes(self) -> list[Recipe]:
        """One latent set per shape (width, height, count)."""
        return [Recipe(100 * self.seed + i, *shape, self.pair_share) for i, shape in enumerate(self.shapes)]


STAGES = {
    "128px": Stage(3, 16, ((128, 128, 10_000),), None, 2000, 64, 2e-3),
    "256px": Stage(4, 32, ((256, 256, 3_000), (320, 192, 200), (192, 320, 200)), "128px", 400, 48, 1e-3),
    "512px": Stage(5, 64, ((512, 512, 400),), "256px", 60, 16, 5e-4),
}
