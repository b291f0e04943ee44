"""The transformer's stages, weak to strong: each starts from the averaged weights of the one before."""

from dataclasses import dataclass

from training.latents import Recipe


@dataclass(frozen=True)
class Source:
    """A latent set, how many of its pictures make a batch, and which share of the steps draws from it."""

    recipe: Recipe
    batch: int
    share: float = 1.0


def mostly_square(square: Recipe, wide: Recipe, tall: Recipe, batch: int) -> tuple[Source, ...]:
    """Return the sources of a size: one batch in ten is wide or tall."""
    return Source(square, batch, 0.9), Source(wide, batch, 0.05), Source(tall, batch, 0.05)


@dataclass(frozen=True)
class Stage:
    """What a stage trains on and for how long.

    The rate falls to zero over the last `decay` share; a stage that is only a way to the next one keeps its rate.
    A stage may add key/value compression to the layers named in `compress`.
    """

    seed: int
    sources: tuple[Source, ...]
    start_from: str | None
    steps: int
    lr: float
    decay: float = 0.4
    compress: tuple[int, ...] = ()


SQUARE_256 = Recipe(400, 256, 256, 2_000, base_side=32)
WIDE_256 = Recipe(401, 320, 192, 120, base_side=32)
TALL_256 = Recipe(402, 192, 320, 120, base_side=32)

SQUARE_256_MORE = Recipe(410, 256, 256, 2_400, base_side=32, pair_share=0.25)
WIDE_256_MORE = Recipe(411, 320, 192, 120, base_side=32, pair_share=0.25)
TALL_256_MORE = Recipe(412, 192, 320, 120, base_side=32, pair_share=0.25)

SQUARE_256_PAIRS = Recipe(420, 256, 256, 3_000, base_side=32, pair_share=0.4)
WIDE_256_PAIRS = Recipe(421, 320, 192, 150, base_side=32, pair_share=0.4)
TALL_256_PAIRS = Recipe(422, 192, 320, 150, base_side=32, pair_share=0.4)

# The run of the text encoder that the transformer learns from.
TEXT_RUN = "text-2"

STAGES = {
    "128px": Stage(
        seed=3,
        sources=(Source(Recipe(300, 128, 128, 10_000, base_side=16), 64),),
        start_from=None,
        steps=640,
        lr=2e-3,
        decay=0.0,
    ),
    "256px": Stage(
        seed=4,
        sources=(Source(SQUARE_256, 48, 0.892), Source(WIDE_256, 48, 0.054), Source(TALL_256, 48, 0.054)),
        start_from="128px",
        steps=200,
        lr=1.5e-3,
        decay=0.0,
    ),
    # Half the batch: so far from the end, steps bring more than pictures.
    "256px-fine": Stage(
        seed=6,
        sources=mostly_square(SQUARE_256, WIDE_256, TALL_256, 24),
        start_from="256px",
        steps=800,
        lr=1.5e-3,
        decay=0.66,
    ),
    # More objects, and two of them in order: small pictures again first, which are cheap.
    "128px-more": Stage(
        seed=7,
        sources=(Source(Recipe(310, 128, 128, 8_000, base_side=16, pair_share=0.25), 64),),
        start_from="256px-fine",
        steps=900,
        lr=2e-3,
        decay=0.0,
    ),
    "256px-more": Stage(
        seed=8,
        sources=mostly_square(SQUARE_256_MORE, WIDE_256_MORE, TALL_256_MORE, 24),
        start_from="128px-more",
        steps=520,
        lr=1.5e-3,
        decay=0.6,
    ),
    # Longer, with more scenes of two: at 128 px a picture costs a quarter, so that is where most of them are seen.
    "128px-pairs": Stage(
        seed=10,
        sources=(Source(Recipe(320, 128, 128, 20_000, base_side=16, pair_share=0.4), 64),),
        start_from="256px-more",
        steps=500,
        lr=2e-3,
        decay=0.0,
    ),
    "256px-pairs": Stage(
        seed=12,
        sources=mostly_square(SQUARE_256_PAIRS, WIDE_256_PAIRS, TALL_256_PAIRS, 24),
        start_from="128px-pairs",
        steps=700,
        lr=1.5e-3,
        decay=0.6,
    ),
    # One set of weights serves both sizes: pictures of 256 px stay in, or what they taught is lost again.
    "512px": Stage(
        seed=5,
        sources=(Source(Recipe(500, 512, 512, 320, base_side=64), 12, 0.6), Source(SQUARE_256_MORE, 48, 0.4)),
        start_from="256px-pairs",
        steps=60,
        lr=7e-4,
    ),
    # The later half of the layers, as in the paper. Pictures of 256 px stay in for the same reason as above.
    "512px-compressed": Stage(
        seed=9,
        sources=(Source(Recipe(500, 512, 512, 320, base_side=64), 12, 0.6), Source(SQUARE_256_MORE, 48, 0.4)),
        start_from="512px",
        steps=120,
        lr=7e-4,
        compress=(4, 5, 6, 7),
    ),
}
