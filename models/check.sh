#!/bin/sh
# Every check of the Python under models/: lint, format, tests, and the whole recipe at toy scale. Creates the locked
# environment if it is missing.
set -eu

cd -- "$(dirname -- "$0")"
./python.sh -m ruff check --config pyproject.toml . ../tests/models ../benchmarks
./python.sh -m ruff format --config pyproject.toml --check . ../tests/models ../benchmarks
./python.sh -m pytest

# From the icons to an image by the product's own renderer. The image is noise, but every step is the real one.
toy=$(mktemp -d)
trap 'rm -rf "$toy"' EXIT
./python.sh -m training.smoke "$toy"
./python.sh -m export "$toy/model" "$toy/bundle" --size 256 --name toy --max-tokens 120 \
  --license Apache-2.0 --source 'the recipe at toy scale'
node ../cli/bin.mjs render 'a flat apple on a blue background' --bundle "$toy/bundle" --steps 2 --out "$toy/apple.png"
