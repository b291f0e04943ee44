"""Opens and runs a bundle's graphs in ONNX Runtime's CUDA provider on a machine without a GPU.

The provider is the real one; the CUDA libraries below it are ours and compute nothing (libraries.c). So it decides
where each node runs, which kernels it takes and what it copies, as it would on a card; only the numbers are missing.
"""
