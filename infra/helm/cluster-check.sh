#!/usr/bin/env bash
# Installs the chart in a cluster, and lets KEDA scale its workers by what a real Temporal server has for them: Kubernetes' own API server,
# controllers and scheduler, KEDA's operator, metrics server and webhook, no containers. A program stands in for the node: it runs each pod's worker as a
# process. Says what was expected and seen, line by line, and fails where they differ.
# Linux only: all of it runs in namespaces of its own, with nothing but a loopback device, and ends with them. Needs Go, openssl 3 and iproute2. Builds
# Kubernetes, etcd and KEDA from source on its first call, which took more than two hours on two busy cores; after that it is a matter of minutes.
set -euo pipefail
cd "$(dirname "$0")"

tools=$(node fetch-tools.mjs)
eval "$(grep -E '^(HELM|KEDA|WORKER_CONTROLLER)=' <<<"$tools")"
programs=$(node cluster/build-programs.mjs)
export HELM KEDA WORKER_CONTROLLER PATH="$programs:$PATH"

folder=$(mktemp -d)
unshare --map-root-user --net --mount --pid --mount-proc --fork --kill-child cluster/apart.sh "$folder" &
namespaces=$!
trap 'kill -KILL "$namespaces" 2>/dev/null || true; rmdir "$folder"' EXIT
wait "$namespaces"
