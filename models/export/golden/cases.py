"""The runs whose stages are kept, chosen so that each covers what no other does."""

from .trace import Case

FOX = "A red fox asleep under a birch tree, watercolour, soft morning light"
LONG = (
    "A crowded night market seen from a balcony, hundreds of paper lanterns, steam rising from noodle stalls, "
    "wet cobblestones with neon reflections, a cat on a tin roof, distant mountains, painted in gouache"
)
CASES = (Case("epsilon-square", "tiny-epsilon", FOX, 64, 64, seed=0, steps=5),)
