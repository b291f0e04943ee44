#!/usr/bin/env bash
# Builds an image and runs it as a fleet does: read-only root, no capabilities, an unprivileged user. Takes minutes.
#   infra/docker/try.sh cpu
#   ENGINE=podman infra/docker/try.sh cuda
# Renders an image in a container without a network, serves a batch from two containers that report themselves healthy,
# and stops the renderer. The image for GPUs does the same on the processor, and has to find all libraries of the CUDA
# provider except the driver's. Needs the Temporal server of `npm start`, and ports 8080 and 8081 free.
set -euo pipefail
cd "$(dirname "$0")/../.."
device=${1:?usage: try.sh cpu, or try.sh cuda}
engine=${ENGINE:-docker}
# For Podman and Buildah, which leave out the health check by default.
export BUILDAH_FORMAT=docker
image=pixart-batch:$device
port=17233

folder=$(mktemp -d)
server=
# Containers are removed by name: an engine's client may be gone when they are not.
orchestrator=pixart-try-orchestrator-$$
renderer=pixart-try-renderer-$$
clean_up() {
  "$engine" rm --force "$orchestrator" "$renderer" >/dev/null 2>&1 || true
  [ -z "$server" ] || kill "$server" || true
  rm -rf "$folder"
}
trap clean_up EXIT
mkdir "$folder/store"
chmod 777 "$folder/store"

# WHAT EXPECTED FOUND
expect() {
  [ "$2" = "$3" ] && echo "$1: $3" && return
  echo "$1: expected $2, found $3" >&2
  exit 1
}
say() { printf '\n== %s\n' "$*"; }
as_in_a_fleet=(run --read-only --tmpfs /tmp:mode=1777 --cap-drop all --security-opt no-new-privileges)

say "building $image"
"$engine" build --file infra/docker/Dockerfile --build-arg DEVICE="$device" --tag "$image" .

say 'contents of the image'
"$engine" "${as_in_a_fleet[@]}" --rm --network none --entrypoint sh "$image" -ec '
  id; node --version; du -sh /opt/* /usr/local/bin/node
  touch /opt/pixart-batch/mark 2>/dev/null && { echo "expected a read-only root"; exit 1; }
  for package in typescript vitest tsx; do
    [ ! -e /opt/pixart-batch/node_modules/$package ] || { echo "expected no development package, found $package"; exit 1; }
  done
  if [ -d /opt/cuda ]; then
    missing=$(ldd /opt/pixart-batch/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so /opt/cuda/lib/*.so* | grep "not found" | sort -u)
    echo "missing: $missing"
    [ -z "$(echo "$missing" | grep -v "libcuda.so.1 ")" ] || { echo "expected all libraries except the driver's"; exit 1; }
  fi'

say 'one image, without a network'
"$engine" "${as_in_a_fleet[@]}" --rm --network none --volume "$folder/store:/out" "$image" \
  render 'a red apple on a white background' --size 256 --seed 1 --out /out/apple.png
expect picture 'PNG 256 256' "$(node --eval "
  const picture = fs.readFileSync('$folder/store/apple.png');
  console.log(picture.toString('latin1', 1, 4), picture.readUInt32BE(16), picture.readUInt32BE(20));")"

say 'a batch'
temporal=$(node --input-type=module --eval "
  import { findTool } from '$PWD/infra/dev/tools.mjs';
  console.log(findTool('temporal') ?? '');")
[ -n "$temporal" ] || { echo 'temporal: expected it on the PATH or in the cache, found nothing; run "npm start" once' >&2; exit 1; }
"$temporal" server start-dev --headless --port $port --log-level error \
  --search-attribute PixartTotal=Int --search-attribute PixartDone=Int --search-attribute PixartFailed=Int >"$folder/server.log" 2>&1 &
server=$!
worker=(--detach --network host --env TEMPORAL_ADDRESS=127.0.0.1:$port --volume "$folder/store:$folder/store")
"$engine" "${as_in_a_fleet[@]}" "${worker[@]}" --name "$orchestrator" "$image" \
  worker --orchestrator --allow="$folder/store" --http-address=127.0.0.1:8081 --log=json
"$engine" "${as_in_a_fleet[@]}" "${worker[@]}" --name "$renderer" "$image" \
  worker --renderer --device=cpu --children=1 --size=256 --grace=60 --allow="$folder/store" --http-address=127.0.0.1:8080 --log=json

# The same request as in the image's HEALTHCHECK.
health() {
  node --eval "fetch('http://127.0.0.1:$1/health').then(({ status }) => console.log(status), () => console.log('nobody'))"
}
for address in 8081 8080; do
  for _ in $(seq 300); do
    [ "$(health $address)" = 200 ] && break
    sleep 1
  done
  expect "health at $address" 200 "$(health $address)"
done
printf 'prompt\na blue whale\na yellow taxi\n' >"$folder/catalog.csv"
chmod -R a+rX "$folder"
"$engine" "${as_in_a_fleet[@]}" --rm --network host --env TEMPORAL_ADDRESS=127.0.0.1:$port --volume "$folder:$folder" --workdir "$folder" "$image" \
  submit catalog.csv --store "$folder/store" --size 256 --wait
expect 'pictures of the batch' 2 "$(find "$folder"/store/batches -name '*.png' | wc -l)"

say 'a clean stop'
"$engine" stop --time 95 "$renderer" >/dev/null
"$engine" logs "$renderer" 2>&1 | tail -n 3
expect 'exit code' 0 "$("$engine" inspect --format '{{.State.ExitCode}}' "$renderer")"
