"""Decides which parts of each network are quantised, and how finely."""

from .block_products import quantise_in_blocks
from .drafts import Draft
from .graphs import Graph
from .int8_products import quantise_products
from .progress import Report
from .spreads import measure_spreads

WIDE = 24.0
"""The range above which an input in 8 bits has rounding errors of about 3 % of its usual value: 24 / 255 / √12."""

FROM_CAPTIONS = ("attn2.to_k", "attn2.to_v")
"""Layers that read the caption. Their outliers are unknown, since noise does not resemble captions. But captions have
few tokens, so a second product costs little.
"""


def quantise(bits: int, draft: Draft, graph: Graph, report: Report) -> None:
    """Quantises the weights of a draft's matrix products, in the way that suits its network.

    The rest of a transformer stays in float32 (timestep, the caption's projection, patches): it is a hundredth of the
    arithmetic, and an error in it would reach every token.
    """
    if graph.file == "text_encoder.onnx":
        quantise_in_blocks(draft, bits)
    else:
        _quantise_transformer(draft, graph, report)


def _quantise_transformer(draft: Draft, graph: Graph, report: Report) -> None:
    report(f"{graph.file}: looking for outlier channels")
    spreads = {name: found for name, found in measure_spreads(graph).items() if name.startswith("transformer_blocks.")}
    twice = {name for name in spreads if name.endswith(FROM_CAPTIONS)}
    split = {name: found.outliers for name, found in spreads.items() if found.range > WIDE and name not in twice}
    quantise_products(draft, spreads.keys() - twice - split.keys(), twice, split)
    report(f"{graph.file}: {len(spreads)} layers in int8, {len(split)} of them with outlier channels in float32")
