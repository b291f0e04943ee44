"""The transformer's stages, weak to strong: each starts from the averaged weights of an earlier one."""

from dataclasses import dataclass, replace

from training.latents import Recipe
from training.schedule import FEW_STEPS, MANY_STEPS, Sampling


@dataclass(frozen=True)
class Source:
    """A latent set, its batch size, and the share of the steps that draw from it."""

    recipe: Recipe
    batch: int
    share: float = 1.0


@dataclass(frozen=True)
class Stage:
    """A stage's data, autoencoder and length.

    The rate falls to zero over the last `decay` share; a stage that only leads to the next one keeps its rate. A stage
    may add key/value compression to the layers in `compress`. With `few_steps` the stage's starting model is its
    teacher, and it learns to sample in `FEW_STEPS`.
    """

    seed: int
    vae: str
    sources: tuple[Source, ...]
    start_from: str | None
    steps: int
    lr: float
    decay: float = 0.4
    compress: tuple[int, ...] = ()
    few_steps: bool = False

    @property
    def sampling(self) -> Sampling:
        return FEW_STEPS if self.few_steps else MANY_STEPS

    @property
    def decoder(self) -> str:
        """The autoencoder that finally decodes its pictures."""
        return DECODERS_TRAINED_FURTHER.get(self.vae, self.vae)


def divided(stage: Stage, by: int) -> Stage:
    """Return a stage for a slower machine: data and batches `by` times smaller, the rate by its square root."""
    sources = tuple(
        replace(s, recipe=replace(s.recipe, count=max(1, s.recipe.count // by)), batch=max(1, s.batch // by))
        for s in stage.sources
    )
    return replace(stage, sources=sources, lr=stage.lr / by**0.5)


# For each autoencoder, the one with the same latents whose decoder was trained further.
DECODERS_TRAINED_FURTHER = {"vae-2": "vae-2-decoder"}

# The run of the text encoder that the transformer learns from.
TEXT_RUN = "text"

# One set of scenes, seen at 128 and at 256 px.
SQUARE_128 = Recipe(300, 128, 128, 80_000, base_side=16)
SQUARE_256 = Recipe(300, 256, 256, 80_000, base_side=32)
WIDE_256 = Recipe(301, 320, 192, 8_000, base_side=32)
TALL_256 = Recipe(302, 192, 320, 8_000, base_side=32)
SQUARE_512 = Recipe(500, 512, 512, 16_000, base_side=64)
WIDE_512 = Recipe(501, 640, 384, 2_000, base_side=64)
TALL_512 = Recipe(502, 384, 640, 2_000, base_side=64)
SQUARE_1024 = Recipe(600, 1024, 1024, 4_000, base_side=128)
WIDE_1024 = Recipe(601, 1280, 768, 500, base_side=128)
TALL_1024 = Recipe(602, 768, 1280, 500, base_side=128)
SQUARE_2048 = Recipe(700, 2048, 2048, 400, base_side=256)


def at_256(share: float, batch: int) -> tuple[Source, ...]:
    """Return the sources at 256 px, for a share of a stage's steps: one batch in ten is wide or tall."""
    return _mostly_square((SQUARE_256, WIDE_256, TALL_256), batch, share, aside=0.1)


def at_512(share: float, batch: int) -> tuple[Source, ...]:
    """Return the sources at 512 px, for a share of a stage's steps: one batch in five is wide or tall."""
    return _mostly_square((SQUARE_512, WIDE_512, TALL_512), batch, share, aside=0.2)


def at_1024(share: float, batch: int) -> tuple[Source, ...]:
    """Return the sources at 1024 px, for a share of a stage's steps: one batch in five is wide or tall."""
    return _mostly_square((SQUARE_1024, WIDE_1024, TALL_1024), batch, share, aside=0.2)


def _mostly_square(
    recipes: tuple[Recipe, Recipe, Recipe], batch: int, share: float, aside: float
) -> tuple[Source, ...]:
    square, wide, tall = recipes
    half = aside / 2 * share
    return Source(square, batch, (1 - aside) * share), Source(wide, batch, half), Source(tall, batch, half)


STAGES = {
    "128px": Stage(
        seed=3, vae="vae", sources=(Source(SQUARE_128, 1024),), start_from=None, steps=1500, lr=2e-3, decay=0.0
    ),
    # The better autoencoder is introduced while pictures are small and cheap.
    "128px-vae-2": Stage(
        seed=4, vae="vae-2", sources=(Source(SQUARE_128, 1024),), start_from="128px", steps=1000, lr=2e-3, decay=0.0
    ),
    "256px": Stage(
        seed=5, vae="vae-2", sources=at_256(1.0, 512), start_from="128px-vae-2", steps=4000, lr=2e-3, decay=0.5
    ),
    # One set of weights serves all sizes: smaller pictures stay in the data, or the model forgets them.
    "512px": Stage(
        seed=6,
        vae="vae-2",
        sources=at_512(0.7, 128) + at_256(0.3, 512),
        start_from="256px",
        steps=1500,
        lr=1e-3,
        decay=0.5,
    ),
    # The later half of the layers, as in the paper.
    "512px-compressed": Stage(
        seed=7,
        vae="vae-2",
        sources=at_512(0.6, 128) + at_256(0.4, 512),
        start_from="512px",
        steps=1500,
        lr=1e-3,
        decay=0.5,
        compress=(4, 5, 6, 7),
    ),
    "1024px-compressed": Stage(
        seed=8,
        vae="vae-2",
        sources=at_1024(0.35, 32) + at_512(0.3, 128) + at_256(0.35, 512),
        start_from="512px-compressed",
        steps=1000,
        lr=7e-4,
        decay=0.6,
    ),
    "2k-compressed": Stage(
        seed=10,
        vae="vae-2",
        sources=(Source(SQUARE_2048, 8, 0.2), *at_1024(0.25, 32), *at_512(0.25, 128), *at_256(0.3, 512)),
        start_from="1024px-compressed",
        steps=1000,
        lr=5e-4,
        decay=0.8,
    ),
    "few-steps": Stage(
        seed=9,
        vae="vae-2",
        sources=at_1024(0.2, 16) + at_512(0.3, 64) + at_256(0.5, 256),
        start_from="2k-compressed",
        steps=1500,
        lr=5e-4,
        few_steps=True,
    ),
}
