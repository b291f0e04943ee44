import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BundleRef } from '../../../../client/index.ts';
import type { Cluster } from './control-plane.ts';

const HELM_FOLDER = fileURLToPath(new URL('../../../../infra/helm/', import.meta.url));
const CHART = path.join(HELM_FOLDER, 'pixart-batch');
const CASES = path.join(HELM_FOLDER, 'cases');

export const NAMESPACE = 'studio';
export const RELEASE = 'night';

const run = promisify(execFile);

/** Runs Helm, for the release. */
const helm = async (verb: string, ...options: string[]): Promise<string> =>
  (await run(process.env.HELM!, [verb, RELEASE, CHART, '--namespace', NAMESPACE, ...options])).stdout;

/** A namespace that lets restricted pods in and no others, and says so of what would make others. */
export async function makeNamespace({ api }: Cluster): Promise<void> {
  const labels = Object.fromEntries(
    ['enforce', 'warn'].map((what) => [`pod-security.kubernetes.io/${what}`, 'restricted']),
  );
  await api.post('/api/v1/namespaces', { metadata: { name: NAMESPACE, labels } });
}

/**
 * Has the API server look at all that the chart makes of each file in cases/, without keeping it.
 *
 * @param workerController where the sources of Temporal's Worker Controller are, whose kinds one of them has
 * @throws Error where the server refuses an object, does not know one of its fields, or warns
 */
export async function tryCases({ kubectl }: Cluster, workerController: string, folder: string): Promise<void> {
  const kinds = path.join(workerController, 'helm/temporal-worker-controller-crds/templates');
  await kubectl('apply', '--server-side', '--filename', kinds);
  for (const values of readdirSync(CASES)) {
    const manifest = path.join(folder, values);
    writeFileSync(manifest, await helm('template', '--validate', '--values', path.join(CASES, values)));
    const strict = ['--dry-run=server', '--validate=strict', '--warnings-as-errors', '--output=name'];
    const names = await kubectl('apply', '--namespace', NAMESPACE, ...strict, '--filename', manifest);
    console.log(`${values}: the API server takes ${names.trim().split('\n').length} objects`);
  }
}

/** Installs the chart, with the bundle in a volume as pods are to find it. */
export async function install({ api }: Cluster, bundles: string, { digest, encoder }: BundleRef): Promise<void> {
  const claim = { accessModes: ['ReadOnlyMany'], storageClassName: '' };
  await api.post('/api/v1/persistentvolumes', {
    metadata: { name: 'bundles' },
    spec: { ...claim, capacity: { storage: '1Gi' }, hostPath: { path: bundles } },
  });
  await api.post(`/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`, {
    metadata: { name: 'bundles' },
    spec: { ...claim, volumeName: 'bundles', resources: { requests: { storage: '1Gi' } } },
  });
  const digests = [
    ...[0, 1].map((renderer) => `renderers[${renderer}].bundleDigest=${digest}`),
    `encoders[0].encoderDigest=${encoder}`,
  ];
  await helm('install', '--values', path.join(HELM_FOLDER, 'cluster/values.yaml'), '--set', digests.join(','));
}
