#!/bin/sh
# Joins the parts of a kit, which are beside this file, into a new folder: sh join.sh FOLDER
set -eu
target=${1:?usage: sh join.sh FOLDER}
parts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

if [ -e "$target" ]; then
  echo "join.sh: expected $target not to be there yet. Choose another folder, or remove it." >&2
  exit 1
fi
if ! (cd "$parts" && sha256sum --check --quiet SHA256SUMS) >&2; then
  echo "join.sh: expected every part that SHA256SUMS lists, with its digest; found what is said above. Copy these again." >&2
  exit 1
fi
mkdir -p "$target.unfinished"
cut -c 67- "$parts/SHA256SUMS" | (cd "$parts" && xargs cat) | tar -xzf - -C "$target.unfinished"
mv "$target.unfinished" "$target"
echo "joined; go on with: sh $target/run.sh --minutes 8"
