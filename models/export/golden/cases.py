"""The recorded runs, chosen so that each covers something that no other does."""

from .trace import Case

FOX = "A red fox asleep under a birch tree"
MARKET = (
    "A crowded night market seen from a balcony, hundreds of paper lanterns, steam rising from noodle stalls, "
    "wet cobblestones with neon reflections, a cat on a tin roof, distant mountains, painted in gouache"
)
HTML = "A <b>blue</b> teapot &amp; two cups, “hand-painted”, see https://example.com/tea.png #tea"

EPSILON = (
    Case("epsilon-square", "tiny-epsilon", FOX, 64, 64, seed=0, steps=5),
    Case("epsilon-odd-grid", "tiny-epsilon", MARKET, 80, 112, seed=2**32 - 1, steps=8, negative_prompt="blurry, text"),
    Case("epsilon-no-guidance", "tiny-epsilon", HTML, 96, 64, seed=12345, steps=6, guidance=1.0),
    Case("epsilon-defaults", "tiny-epsilon", FOX, 48, 80, seed=7, steps=20, negative_prompt=MARKET),
    Case("epsilon-one-step", "tiny-epsilon", FOX, 32, 48, seed=3, steps=1),
    Case("epsilon-binned", "tiny-epsilon", MARKET, 150, 211, seed=42, steps=4, binning=True),
)
VELOCITY = (
    Case("velocity-square", "tiny-velocity", FOX, 64, 64, seed=1, steps=5, negative_prompt="low quality"),
    Case("velocity-odd-grid", "tiny-velocity", MARKET, 112, 48, seed=2**31, steps=8, guidance=7.5),
    Case("velocity-no-guidance", "tiny-velocity", FOX, 64, 96, seed=99, steps=6, guidance=1.0),
    Case("velocity-defaults", "tiny-velocity", HTML, 48, 64, seed=5, steps=20),
    Case("velocity-binned", "tiny-velocity", FOX, 400, 130, seed=11, steps=3, binning=True),
)
COMPRESSED = (
    Case("compressed-square", "tiny-compressed", FOX, 64, 64, seed=4, steps=5),
    Case("compressed-odd-grid", "tiny-compressed", MARKET, 80, 112, seed=6, steps=6, negative_prompt="blurry"),
    Case("compressed-defaults", "tiny-compressed", HTML, 48, 112, seed=8, steps=20),
)
EULER = (
    Case("euler-square", "tiny-euler", FOX, 64, 64, seed=21, steps=5),
    Case("euler-odd-grid", "tiny-euler", MARKET, 80, 112, seed=22, steps=7, negative_prompt="blurry, text"),
    Case("euler-no-guidance", "tiny-euler", HTML, 96, 64, seed=23, steps=4, guidance=1.0),
    Case("euler-defaults", "tiny-euler", FOX, 48, 80, seed=24, steps=20),
)
LCM = (
    Case("lcm-defaults", "tiny-lcm", FOX, 64, 64, seed=31, steps=4, guidance=1.0),
    Case("lcm-odd-grid", "tiny-lcm", MARKET, 80, 112, seed=32, steps=6, guidance=2.5, negative_prompt="blurry"),
    Case("lcm-one-step", "tiny-lcm", HTML, 32, 48, seed=33, steps=1, guidance=1.0),
    Case("lcm-binned", "tiny-lcm", MARKET, 150, 211, seed=34, steps=8, guidance=1.0, binning=True),
)
ALPHA = (
    Case("alpha-wide", "tiny-alpha", FOX, 48, 112, seed=41, steps=5, negative_prompt="blurry, text"),
    Case("alpha-long-caption", "tiny-alpha", f"{MARKET}, {MARKET}", 80, 64, seed=42, steps=4, guidance=1.0),
)
CASES = (*EPSILON, *VELOCITY, *COMPRESSED, *EULER, *LCM, *ALPHA)
