"""The graph for CUDA of a network whose graph for the CPU has been drafted."""

from pathlib import Path

from torch import nn

from network.shuffle_decoder import ShuffleDecoder
from network.transformer import PixArtTransformer

from .block_products import keep_inputs
from .cuda_decoder import cuda_decoder, has_cuda_decoder, stages_of
from .cuda_shuffle_decoder import cuda_shuffle_decoder
from .cuda_text_encoder import cuda_text_encoder, has_cuda_text_encoder
from .cuda_transformer import cuda_transformer
from .cuda_verify import CudaComparison, verify_cuda
from .drafts import Draft
from .errors import ExportError
from .graphs import Graph
from .progress import Report
from .verify import Comparison
from .writing import write_drafts


def cuda_drafts(module: nn.Module, stored: Draft) -> list[Draft]:
    """The fastest draft first, then those to fall back on; none where the network has no graph for CUDA.

    Changes `stored`, the draft for the CPU, where it would round what the graph for CUDA does not.
    """
    if isinstance(module, PixArtTransformer):
        return [cuda_transformer(module.shape, stored)]
    if has_cuda_text_encoder(module):
        keep_inputs(stored)
        return [cuda_text_encoder(module.encoder.config, stored)]
    if has_cuda_decoder(module):
        return [cuda_decoder(module, stored, full) for full in range(stages_of(module) + 1)]
    if isinstance(module, ShuffleDecoder):
        return [cuda_shuffle_decoder(module, stored, full) for full in range(len(module.levels) + 1)]
    return []


def first_close_enough(
    stored: Draft, drafts: list[Draft], examples: list[Graph], of_cpu: Comparison, *, folder: Path, report: Report
) -> CudaComparison:
    """Keeps the first of `drafts` that is close to torch; the first of all was written together with `stored`.

    Raises `ExportError` where none is.
    """
    for at, draft in enumerate(drafts):
        if at > 0:
            write_drafts([stored, draft], examples[0].parameter, folder, report)
        try:
            compared = verify_cuda(folder, draft.file, examples, of_cpu)
        except ExportError as error:
            if draft is drafts[-1]:
                raise
            report(f"{error} Trying with {at + 1} more of its last stages in float32.")
            continue
        in_full = f", its last {at} stages in fp32" if at else ""
        report(
            f"{draft.file}: {len(draft.model.graph)} nodes, computed in fp16{in_full}; relative error "
            f"{compared.error:.1e} against torch in float32, {compared.psnr:.1f} dB from the graph for the CPU"
        )
        return compared
    raise ValueError("no drafts")
