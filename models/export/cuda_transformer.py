"""The transformer as a graph for CUDA: float16 between float32 inputs and outputs, few and fused nodes.

It computes what `PixArtTransformer` computes (docs/decisions/140), with weights of the graph for the CPU. Nothing is
calculated from shapes, since ONNX Runtime would do so on the processor: where tokens become a grid again, the shape of
an earlier tensor is taken as it is.
"""

import onnx_ir as ir

from network.transformer import TransformerShape

from .cuda_blocks import CudaBlocks
from .cuda_layers import CudaLayers
from .cuda_modulations import CudaModulations
from .cuda_weights import FLOAT, HALF, CudaWeights
from .drafts import Draft
from .graphs import IR_VERSION, OPSET
from .nodes import CONTRIB, Nodes

FILE = "transformer.cuda.onnx"


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
    return {
        name: ir.Value(name=name, shape=ir.Shape(sides), type=ir.TensorType(dtype))
        for name, dtype, sides in (
            ("latents", FLOAT, ["batch", shape.latent_channels, "height", "width"]),
            ("timestep", FLOAT, ["batch"]),
            ("row_positions", FLOAT, [1, "rows", 1, shape.width]),
            ("column_positions", FLOAT, [1, 1, "columns", shape.width]),
            ("caption", FLOAT, ["batch", "tokens", shape.width]),
            ("caption_spans", ir.DataType.INT32, ["spans"]),
        )
    }


class _Network(CudaLayers):
    def __init__(self, shape: TransformerShape, stored: Draft, draft: Draft):
        op = Nodes(draft.model.graph)
        super().__init__(shape, CudaWeights(stored, draft, op), op)
        self.flat = self.constant("tokens", [0, -1, shape.width])
        self.conditioning = CudaModulations(shape, self.weights, op)
        self.blocks = CudaBlocks(shape, self.weights, op)

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
        modulations, last = self.conditioning.modulations(timestep, row_positions, column_positions)
        keys, values = self._caption(caption)
        x = op("Reshape", grid, self.flat)
        grid_shape = op("Shape", grid) if self.shape.kv_compression else None
        for layer in range(self.shape.layers):
            with op.named(f"transformer_blocks.{layer}"):
                tokens = (keys[layer], values[layer], caption_spans)
                x = self.blocks.block(layer, x, modulations[layer], tokens, grid_shape)
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

    def _caption(self, caption: ir.Value) -> tuple[list[ir.Value], list[ir.Value]]:
        """Keys and values of all blocks in one product, [B, T, C] each; their biases are added in the attention."""
        op, layers = self.op, self.shape.layers
        names = [
            f"transformer_blocks.{layer}.attn2.{part}.weight" for layer in range(layers) for part in ("to_k", "to_v")
        ]
        product = op("MatMul", op("Cast", caption, to=HALF), self.weights.beside(names, axis=1))
        split = op.split(product, axis=2, count=2 * layers)
        return list(split[0::2]), list(split[1::2])

    def _out(self, x: ir.Value, modulation: tuple[ir.Value, ir.Value]) -> ir.Value:
        """The prediction's patches [B, N, patch² · channels] in float32, without those of a variance."""
        op, shape = self.op, self.shape
        channels, cells = shape.latent_channels, shape.patch**2
        shift, scale = modulation
        normed = self.norm(op("Cast", x, to=FLOAT), scale, shift)
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
