/**
 * A fleet on several hosts, each a network namespace: Temporal server, orchestrator and bucket in one, a render worker
 * in each of the others, connected by a switch. In mid-batch one host's cable is pulled for longer than the heartbeat
 * timeout, and plugged back in. Exit code 1 if a job is lost or has more than one object. Needs root on Linux; removes
 * everything that it created. `npx tsx benchmarks/namespaces.ts [--hosts 3] [--jobs 150] [--cut 60]`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UserError } from '../domain/user-error.ts';
import { createNetwork, type Network, within } from './namespaces/network.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '150' },
    cut: { type: 'string', default: '60' },
  },
});

/** Runs the batch inside the hub; everything listens on the hub's addresses only. */
async function runWithin({ hub, hosts }: Network, folder: string): Promise<number> {
  const program = fileURLToPath(new URL('namespaces/cut-off.ts', import.meta.url));
  const settings = JSON.stringify({ folder, hosts, jobs: Number(values.jobs), cutSeconds: Number(values.cut) });
  const command = [...within(hub), process.execPath, '--import', import.meta.resolve('tsx'), program, settings];
  const batch = spawn(command[0]!, command.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => batch.kill('SIGTERM'));
  const [code] = await once(batch, 'exit');
  return code ?? 1;
}

try {
  const network = await createNetwork(Number(values.hosts));
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-namespaces-'));
  try {
    process.exitCode = await runWithin(network, folder);
  } finally {
    await network.remove();
    await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
