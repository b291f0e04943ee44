#!/bin/sh
# Moves the libraries that the CUDA provider loads out of installed wheels, with all licences: keep-libraries.sh WHEELS
# FOLDER
set -eu
wheels=$1
folder=$2

mkdir -p "$folder/lib" "$folder/licences"
# The libraries that the provider links to (readelf --dynamic), and those that it loads by name at run time, which no
# linker shows: cuDNN (since ONNX Runtime 1.30) and NVRTC. Left out: a second build of NVRTC, NVBLAS, TensorRT's
# provider, Python.
mv "$wheels"/onnxruntime/capi/libonnxruntime_providers_cuda.so \
  "$wheels"/onnxruntime/capi/libonnxruntime_providers_shared.so \
  "$wheels"/nvidia/cu13/lib/libcublas.so.13 \
  "$wheels"/nvidia/cu13/lib/libcublasLt.so.13 \
  "$wheels"/nvidia/cu13/lib/libcudart.so.13 \
  "$wheels"/nvidia/cu13/lib/libcurand.so.10 \
  "$wheels"/nvidia/cu13/lib/libnvrtc.so.13 \
  "$wheels"/nvidia/cu13/lib/libnvrtc-builtins.so.13.0 \
  "$wheels"/nvidia/cudnn/lib/libcudnn*.so.9 \
  "$folder/lib"

mv "$wheels"/onnxruntime/LICENSE "$wheels"/onnxruntime/ThirdPartyNotices.txt "$folder/licences"
for package in "$wheels"/nvidia_*.dist-info; do
  mv "$package/licenses/License.txt" "$folder/licences/$(basename "$package" .dist-info).txt"
done
