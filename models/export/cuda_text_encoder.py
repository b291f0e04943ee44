"""The text encoder as a graph for CUDA: products in float16 between float32 states, few and fused nodes.

It computes what `T5EncoderModel` computes (docs/decisions/143), with weights of the graph for the CPU. Inputs of T5's
`wo` reach 66,000, which float16 does not hold, so states are a 64th of T5's. That costs no node: norms do not depend on
how large their input is, and give a 64th of theirs because their weights do; only what goes into GELU is of full size.
"""

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor, nn
from transformers import T5Config
from transformers.models.t5.modeling_t5 import T5Attention

from .cuda_weights import FLOAT, HALF, CudaWeights
from .drafts import Draft
from .graphs import IR_VERSION, OPSET
from .nodes import CONTRIB, Nodes
from .parts import TextEncoder
from .text_encoder_part import COPY

FILE = "text_encoder.cuda.onnx"
STACK = "encoder.encoder"
SHRUNK = 64.0
"""By how much states are smaller than T5's. As a power of two it rounds nothing; a larger one would cost small numbers
bits of float16."""

MASKED = -3e4
"""What is added for a token that is padding; float16 holds it."""


def has_cuda_text_encoder(module: nn.Module) -> bool:
    """Whether the text encoder can be drafted: T5 1.1, whose feed-forward is gated by GELU."""
    return isinstance(module, TextEncoder) and module.encoder.config.feed_forward_proj == "gated-gelu"


def cuda_text_encoder(config: T5Config, stored: Draft) -> Draft:
    """Drafts the graph; `stored` is the draft for the CPU, once its weights are as they are stored."""
    inputs = {
        name: ir.Value(name=name, shape=ir.Shape(["batch", "tokens"]), type=ir.TensorType(ir.DataType.INT64))
        for name in ("input_ids", "attention_mask")
    }
    opsets = {"": OPSET, CONTRIB: 1}
    graph = ir.Graph(list(inputs.values()), [], nodes=[], opset_imports=opsets, name="text_encoder")
    draft = Draft(FILE, ir.Model(graph, ir_version=IR_VERSION))
    states = _Network(config, stored, draft).encode(**inputs)
    states.name, states.dtype, states.shape = "text_states", FLOAT, ir.Shape(["batch", "tokens", config.d_model])
    graph.outputs.append(states)
    return draft


class _Network:
    def __init__(self, config: T5Config, stored: Draft, draft: Draft):
        self.config = config
        self.op = Nodes(draft.model.graph)
        self.weights = CudaWeights(stored, draft, self.op)
        self.constant = self.weights.constant

    def encode(self, *, input_ids: ir.Value, attention_mask: ir.Value) -> ir.Value:
        op = self.op
        rows = op("Gather", self.weights.half(f"encoder.{COPY}"), input_ids, axis=0)
        x = op("Mul", op("Cast", rows, to=FLOAT), self.constant("shrunk", 1 / SHRUNK, np.float32))
        bias = self._bias(input_ids, attention_mask)
        for layer in range(self.config.num_layers):
            with op.named(f"encoder.block.{layer}"):
                x = self._block(f"{STACK}.block.{layer}.layer", x, bias)
        name = f"{STACK}.final_layer_norm.weight"
        return self._norm(x, self.weights.full(name))

    def _bias(self, input_ids: ir.Value, attention_mask: ir.Value) -> ir.Value:
        """What attention adds to its scores [B, heads, T, T]: by distance, and by what is padding."""
        op, config = self.op, self.config
        farthest = config.relative_attention_max_distance
        name = f"{STACK}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        shape = (2 * farthest + 2, config.num_heads)
        table = self.weights.made("position_bias", HALF, shape, [name], lambda w: _by_distance(w, config))
        ones = op("ConstantOfShape", op("Shape", input_ids), value=ir.tensor([1]))
        positions = op("CumSum", ones, self.constant("one", 1))
        keys, queries = (op("Unsqueeze", positions, self.constant(f"axis_{axis}", [axis])) for axis in (1, 2))
        distances = op(
            "Clip",
            op("Sub", keys, queries),
            self.constant("before", -farthest),
            self.constant("behind", farthest),
        )
        is_token = op("Unsqueeze", op("Cast", attention_mask, to=ir.DataType.BOOL), self.constant("axis_1", [1]))
        rows = op("Where", is_token, distances, self.constant("padding", farthest + 1))
        return op("Transpose", op("Gather", table, rows, axis=0), perm=[0, 3, 1, 2])

    def _block(self, name: str, x: ir.Value, bias: ir.Value) -> ir.Value:
        x = self._added(x, self._attend(f"{name}.0.SelfAttention", self._small_norm(f"{name}.0.layer_norm", x), bias))
        return self._added(x, self._feed(f"{name}.1.DenseReluDense", self._small_norm(f"{name}.1.layer_norm", x)))

    def _added(self, x: ir.Value, change: ir.Value) -> ir.Value:
        return self.op("Add", x, self.op("Cast", change, to=FLOAT))

    def _small_norm(self, name: str, x: ir.Value) -> ir.Value:
        """A 64th of what T5 has there, in float16."""
        weight = f"{name}.weight"
        shrunk = self.weights.made(name, HALF, (self.config.d_model,), [weight], lambda w: w / SHRUNK)
        return self._norm(x, shrunk)

    def _norm(self, x: ir.Value, weight: ir.Value) -> ir.Value:
        epsilon = self.config.layer_norm_epsilon / SHRUNK**2
        return self.op("SimplifiedLayerNormalization", x, weight, axis=-1, epsilon=epsilon, stash_type=1)

    def _attend(self, name: str, x: ir.Value, bias: ir.Value) -> ir.Value:
        """T5 does not scale the scores; of queries and keys that are a 64th they are 64² as large."""
        query, key, value = (self._product(f"{name}.{part}", x) for part in "qkv")
        attributes = {"num_heads": self.config.num_heads, "scale": SHRUNK**2}
        none = None
        attended = self.op("MultiHeadAttention", query, key, value, none, none, bias, domain=CONTRIB, **attributes)
        return self._product(f"{name}.o", attended)

    def _feed(self, name: str, x: ir.Value) -> ir.Value:
        op = self.op
        gate = op("Gelu", self._product(f"{name}.wi_0", x, SHRUNK), approximate="tanh")
        return self._product(f"{name}.wo", op("Mul", gate, self._product(f"{name}.wi_1", x)))

    def _product(self, layer: str, x: ir.Value, factor: float = 1.0) -> ir.Value:
        """`factor` times the product of `x` and a layer's weight."""
        blocks = self.weights.blocks(f"{layer}.weight", factor)
        if blocks is not None:
            weight, scales, attributes = blocks
            return self.op("MatMulNBits", x, weight, scales, domain=CONTRIB, **attributes)
        weight = self.weights.half(f"{layer}.weight")
        if factor == 1:
            return self.op("MatMul", x, weight)
        return self.op("FusedMatMul", x, weight, alpha=factor, domain=CONTRIB)


def _by_distance(bias: Tensor, config: T5Config) -> Tensor:
    """A row for each distance from a query to a key, those before it counted from the end, and one for padding between
    them; `bias` has a row for each bucket of distances."""
    farthest = config.relative_attention_max_distance
    distances = torch.arange(-farthest, farthest + 1)
    buckets = T5Attention._relative_position_bucket(
        distances, num_buckets=config.relative_attention_num_buckets, max_distance=farthest
    )
    before, behind = bias[buckets].split([farthest, farthest + 1])
    return torch.cat([behind, torch.full((1, config.num_heads), MASKED), before])
