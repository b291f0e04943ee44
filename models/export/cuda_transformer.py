"""The transformer as a graph for CUDA: float16 between float32 inputs and outputs, few and fused nodes.

It computes what `PixArtTransformer` computes (docs/decisions/140), with weights of the graph for the CPU. Nothing is
calculated from shapes, since ONNX Runtime would do so on the processor: where tokens become a grid again, the shape of
an earlier tensor is taken as it is.
"""

import math

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor

from network.transformer import MODULATIONS, NORM_EPSILON, SINUSOIDS, TransformerShape

from .cuda_weights import FLOAT, HALF, CudaWeights
from .drafts import Draft
from .graphs import IR_VERSION, OPSET
from .nodes import CONTRIB, Nodes

FILE = "transformer.cuda.onnx"
SHIFT1, SCALE1, GATE1, SHIFT2, SCALE2, GATE2 = range(MODULATIONS)


def cuda_transformer(shape: TransformerShape, stored: Draft) -> Draft:
    """Drafts the graph; `stored` is the draft for the CPU, once its weights are as they are stored."""
    inputs = _inputs(shape)
    opsets = {"": OPSET, CONTRIB: 1}
    graph = ir.Graph(list(inputs.values()), [], nodes=[], opset_imports=opsets, name="transformer")
    draft = Draft(FILE, ir.Model(graph, ir_version=IR_VERSION))
    prediction = _Network(shape, stored, draft).predict(**inputs)
    prediction.name, prediction.dtype = "prediction", FLOAT
    prediction.shape = ir.Shape(["batch", shape.latent_channels, "height", "width"])
    graph.outputs.append(prediction)
    return draft


def _inputs(shape: TransformerShape) -> dict[str, ir.Value]:
    whole = ir.DataType.INT32
    return {
        name: ir.Value(name=name, shape=ir.Shape(sides), type=ir.TensorType(dtype))
        for name, dtype, sides in (
            ("latents", FLOAT, ["batch", shape.latent_channels, "height", "width"]),
            ("timestep", FLOAT, ["batch"]),
            ("row_positions", FLOAT, [1, "rows", 1, shape.width]),
            ("column_positions", FLOAT, [1, 1, "columns", shape.width]),
            ("caption", FLOAT, ["batch", "tokens", shape.width]),
            ("caption_spans", whole, ["spans"]),
        )
    }


class _Network:
    def __init__(self, shape: TransformerShape, stored: Draft, draft: Draft):
        self.shape = shape
        self.op = Nodes(draft.model.graph)
        self.weights = CudaWeights(stored, draft, self.op)
        self.constant = self.weights.constant
        self.tokens_last = self.constant("tokens", [0, -1, shape.width])

    def predict(
        self,
        *,
        latents: ir.Value,
        timestep: ir.Value,
        row_positions: ir.Value,
        column_positions: ir.Value,
        caption: ir.Value,
        caption_spans: ir.Value,
    ) -> ir.Value:
        op, patch = self.op, self.shape.patch
        cells = op("Transpose", op("SpaceToDepth", latents, blocksize=patch), perm=[0, 2, 3, 1])
        grid = self._embed(cells, row_positions, column_positions)
        modulations, last = self._modulations(timestep, row_positions, column_positions)
        keys, values = self._caption(caption)
        x = op("Reshape", grid, self.tokens_last)
        grid_shape = op("Shape", grid) if self.shape.kv_compression else None
        for layer in range(self.shape.layers):
            with op.named(f"transformer_blocks.{layer}"):
                x = self._block(layer, x, modulations[layer], (keys[layer], values[layer], caption_spans), grid_shape)
        out = op("Reshape", self._out(x, last), op("Shape", cells))
        return op("DepthToSpace", op("Transpose", out, perm=[0, 3, 1, 2]), blocksize=patch)

    def _embed(self, cells: ir.Value, rows: ir.Value, columns: ir.Value) -> ir.Value:
        """Patches as tokens with their positions [B, rows, columns, C]; `cells` are patches, channels last."""
        op, width = self.op, self.shape.width
        inputs = self.shape.latent_channels * self.shape.patch**2
        weight = self.weights.made(
            "patches",
            FLOAT,
            (inputs, width),
            ["pos_embed.proj.weight"],
            lambda w: w.permute(2, 3, 1, 0).reshape(inputs, width),
        )
        patches = op("Add", op("MatMul", cells, weight), op("Add", rows, self.weights.full("pos_embed.proj.bias")))
        return op("Cast", op("Add", patches, columns), to=HALF)

    def _modulations(
        self, timestep: ir.Value, rows: ir.Value, columns: ir.Value
    ) -> tuple[list[list[ir.Value]], tuple[ir.Value, ir.Value]]:
        """For each block the six modulations [B, 1, C], and shift and scale of the output; scales have 1 added."""
        op, shape = self.op, self.shape
        embedded = self._embed_number("adaln_single.emb.timestep_embedder", timestep)
        if shape.pixels_per_latent is not None:
            embedded = op("Add", embedded, self._embed_size(rows, columns))
        linear = self._linear("adaln_single.linear", self._silu(embedded))
        tables = [f"transformer_blocks.{layer}.scale_shift_table" for layer in range(shape.layers)]
        table = self.weights.made(
            "scale_shift_tables",
            FLOAT,
            (1, shape.layers, MODULATIONS * shape.width),
            tables,
            lambda *each: _with_ones(torch.stack(each), [SCALE1, SCALE2]).flatten(1)[None],
        )
        one = self.constant("one", [1])
        all_blocks = op("Add", op("Unsqueeze", linear, one), table)
        count = shape.layers * MODULATIONS
        rows_of_all = op(
            "Cast", op("Reshape", all_blocks, self.constant("modulations", [0, count, shape.width])), to=HALF
        )
        split = op.split(rows_of_all, axis=1, count=count)
        last_table = self.weights.made(
            "scale_shift_table", FLOAT, (1, 2, shape.width), ["scale_shift_table"], lambda w: _with_ones(w, [1])[None]
        )
        outer = op("Add", op("Unsqueeze", embedded, one), last_table)
        shift, scale = op.split(outer, axis=1, count=2)
        return [list(split[i : i + MODULATIONS]) for i in range(0, count, MODULATIONS)], (shift, scale)

    def _embed_number(self, name: str, number: ir.Value) -> ir.Value:
        """As `NumberEmbedder`, in float32: [B] to [B, width]."""
        op, half = self.op, SINUSOIDS // 2
        frequencies = np.exp(-math.log(10000) * np.arange(half, dtype=np.float32) / half)
        angle = op(
            "Mul",
            op("Unsqueeze", number, self.constant("one", [1])),
            self.constant("frequencies", frequencies, np.float32),
        )
        sinusoids = op("Concat", op("Cos", angle), op("Sin", angle), axis=1)
        return self._linear(f"{name}.linear_2", self._silu(self._linear(f"{name}.linear_1", sinusoids)))

    def _embed_size(self, rows: ir.Value, columns: ir.Value) -> ir.Value:
        """What the picture's size adds to the timestep [1, C], for a model that is told it."""
        op, name = self.op, "adaln_single.emb"
        height, width = self._count(rows, 1), self._count(columns, 2)
        sides = self._embed_number(f"{name}.resolution_embedder", op("Concat", height, width, axis=0))
        sides = op("Reshape", sides, self.constant("row", [1, -1]))
        ratio = self._embed_number(f"{name}.aspect_ratio_embedder", op("Div", height, width))
        return op("Concat", sides, ratio, axis=1)

    def _count(self, positions: ir.Value, axis: int) -> ir.Value:
        """Pixels [1] along a side: a number for each position, added up on the device."""
        op, pixels = self.op, float(self.shape.patch * self.shape.pixels_per_latent)
        first = op("Gather", positions, self.constant("first", 0), axis=3)
        each = op(
            "Add",
            op("Mul", first, self.constant("nothing", 0, np.float32)),
            self.constant("pixels", pixels, np.float32),
        )
        return op("ReduceSum", op("Reshape", each, self.constant("flat", [-1])), self.constant("zero", [0]), keepdims=1)

    def _caption(self, caption: ir.Value) -> tuple[list[ir.Value], list[ir.Value]]:
        """Keys and values of all blocks in one product, [B, T, C] each; their biases are added in the attention."""
        op, layers = self.op, self.shape.layers
        names = [
            f"transformer_blocks.{layer}.attn2.{part}.weight" for layer in range(layers) for part in ("to_k", "to_v")
        ]
        product = op("MatMul", op("Cast", caption, to=HALF), self.weights.beside(names, axis=1))
        split = op.split(product, axis=2, count=2 * layers)
        return list(split[0::2]), list(split[1::2])

    def _block(
        self,
        layer: int,
        x: ir.Value,
        modulation: list[ir.Value],
        caption: tuple[ir.Value, ir.Value, ir.Value],
        grid: ir.Value | None,
    ) -> ir.Value:
        op, name = self.op, f"transformer_blocks.{layer}"
        scale = self.shape.compression_of(layer)
        normed = self._norm(x, modulation[SCALE1], modulation[SHIFT1])
        attended = self._attend(name, normed) if scale is None else self._attend_short(name, normed, scale, grid)
        out = self._half_linear(f"{name}.attn1.to_out.0", attended)
        x = op("Add", x, op("Mul", modulation[GATE1], out))
        x = op("Add", x, self._half_linear(f"{name}.attn2.to_out.0", self._attend_caption(name, x, *caption)))
        normed = self._norm(x, modulation[SCALE2], modulation[SHIFT2])
        inner = op("MatMul", normed, self.weights.half(f"{name}.ff.net.0.proj.weight"))
        inner = op("FastGelu", inner, self.weights.half(f"{name}.ff.net.0.proj.bias"), domain=CONTRIB)
        return op("Add", x, op("Mul", modulation[GATE2], self._half_linear(f"{name}.ff.net.2", inner)))

    def _norm(self, x: ir.Value, scale: ir.Value, shift: ir.Value) -> ir.Value:
        return self.op("LayerNormalization", x, scale, shift, axis=2, epsilon=NORM_EPSILON)

    def _attend(self, name: str, x: ir.Value) -> ir.Value:
        """Self-attention, its three products in one. `Attention` runs flash attention, and its bias costs no pass."""
        parts = [f"{name}.attn1.{part}" for part in ("to_q", "to_k", "to_v")]
        weight = self.weights.beside([f"{part}.weight" for part in parts], axis=1)
        bias = self.weights.beside([f"{part}.bias" for part in parts], axis=0)
        return self.op("Attention", x, weight, bias, num_heads=self.shape.heads, domain=CONTRIB)

    def _attend_short(self, name: str, x: ir.Value, scale: int, grid: ir.Value) -> ir.Value:
        """Self-attention with shortened keys and values, which share a product, a convolution and a norm."""
        op, width = self.op, self.shape.width
        attention = f"{name}.attn1"
        weight = self.weights.beside([f"{attention}.to_k.weight", f"{attention}.to_v.weight"], axis=1)
        long = op("MatMul", op("Reshape", x, grid), weight)
        kernel = self.weights.made(
            f"{name}.shorten",
            HALF,
            (2 * width, scale, scale, 1),
            [f"{attention}.sr.weight"],
            lambda w: w.permute(0, 2, 3, 1).repeat(2, 1, 1, 1),
        )
        bias = self.weights.made(
            f"{name}.shorten_bias",
            HALF,
            (2 * width,),
            [f"{attention}.{part}" for part in ("to_k.bias", "to_v.bias", "sr.weight", "sr.bias")],
            _shortened_bias,
        )
        short = op(
            "NhwcConv",
            long,
            kernel,
            bias,
            kernel_shape=[scale] * 2,
            strides=[scale] * 2,
            group=2 * width,
            domain=CONTRIB,
        )
        halves = op("Reshape", short, self.constant("halves", [0, -1, 2, width]))
        gain, shift = self.weights.half(f"{attention}.norm.weight"), self.weights.half(f"{attention}.norm.bias")
        normed = op("LayerNormalization", halves, gain, shift, axis=3, epsilon=1e-5)
        both = op("Reshape", normed, self.constant("both", [0, -1, 2 * width]))
        keys, values = op.split(both, axis=2, count=2)
        query = self._half_linear(f"{attention}.to_q", x)
        return op("MultiHeadAttention", query, keys, values, num_heads=self.shape.heads, domain=CONTRIB)

    def _attend_caption(self, name: str, x: ir.Value, keys: ir.Value, values: ir.Value, spans: ir.Value) -> ir.Value:
        parts = [f"{name}.attn2.{part}.bias" for part in ("to_q", "to_k", "to_v")]
        query = self.op("MatMul", x, self.weights.half(f"{name}.attn2.to_q.weight"))
        bias = self.weights.beside(parts, axis=0)
        return self.op(
            "MultiHeadAttention", query, keys, values, bias, spans, num_heads=self.shape.heads, domain=CONTRIB
        )

    def _out(self, x: ir.Value, modulation: tuple[ir.Value, ir.Value]) -> ir.Value:
        """The prediction's patches [B, N, patch² · channels] in float32, without those of a variance."""
        op, shape = self.op, self.shape
        channels, cells = shape.latent_channels, shape.patch**2
        shift, scale = modulation
        normed = self._norm(op("Cast", x, to=FLOAT), scale, shift)
        weight = self.weights.made(
            "out",
            FLOAT,
            (shape.width, cells * channels),
            ["proj_out.weight"],
            lambda w: w.unflatten(1, (cells, -1))[..., :channels].flatten(1),
        )
        bias = self.weights.made(
            "out_bias",
            FLOAT,
            (cells * channels,),
            ["proj_out.bias"],
            lambda b: b.unflatten(0, (cells, -1))[:, :channels].flatten(),
        )
        return op("Add", op("MatMul", normed, weight), bias)

    def _half_linear(self, name: str, x: ir.Value) -> ir.Value:
        product = self.op("MatMul", x, self.weights.half(f"{name}.weight"))
        return self.op("Add", product, self.weights.half(f"{name}.bias"))

    def _linear(self, name: str, x: ir.Value) -> ir.Value:
        """In float32, of [B, inputs]; such weights are stored as [outputs, inputs]."""
        return self.op("Gemm", x, self.weights.full(f"{name}.weight"), self.weights.full(f"{name}.bias"), transB=1)

    def _silu(self, x: ir.Value) -> ir.Value:
        return self.op("Mul", x, self.op("Sigmoid", x))


def _with_ones(table: Tensor, scales: list[int]) -> Tensor:
    """A table of modulations [..., count, C] whose scales have 1 added: what a norm multiplies by."""
    table = table.clone()
    table[..., scales, :] += 1
    return table


def _shortened_bias(key: Tensor, value: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Biases of keys and values behind the convolution, which is linear and cuts nothing off at the border."""
    share = kernel.sum((1, 2, 3))
    return torch.cat([key * share + bias, value * share + bias])
