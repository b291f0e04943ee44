"""Decides which parts of each network are quantised, and how finely."""

from .block_products import quantise_in_blocks
from .drafts import Draft
from .graphs import Graph
from .int8_products import quantise_products
from .progress import Report
from .spreads import measure_spreads

WIDE = 24.0
"""The spread of an input above which one product in 8 bits would lose about 3 % of it: 24 / 255 / √12."""

FROM_CAPTIONS = ("attn2.to_k", "attn2.to_v")
"""Layers that read the caption: it has few tokens, so two products cost nothing, and noise does not resemble captions.
"""


def quantise(bits: int, draft: Draft, graph: Graph, report: Report) -> None:
    """Quantises the weights of a draft's matrix products, in the way that suits its network.

    The parts of a transformer that stay in float32 (timestep, the caption's projection, patches) are a hundredth of the
    arithmetic, and every error in them would reach every token.
    """
    if graph.file == "text_encoder.onnx":
        quantise_in_blocks(draft, bits)
    else:
        _quantise_transformer(draft, graph, report)


def _quantise_transformer(draft: Draft, graph: Graph, report: Report) -> None:
    report(f"{graph.file}: measuring which layers need two int8 products")
    spreads = {name: value for name, value in measure_spreads(graph).items() if name.startswith("transformer_blocks.")}
    fine = {name for name, value in spreads.items() if value > WIDE or name.endswith(FROM_CAPTIONS)}
    quantise_products(draft, spreads.keys() - fine, fine)
    report(f"{graph.file}: {len(spreads)} layers in int8, {len(fine)} of them with two products")
