import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Certificates } from './certificates.ts';
import type { Cluster } from './control-plane.ts';
import type { Observe } from './observe.ts';
import type { Programs } from './programs.ts';

/** Where its three programs listen, apart from the workers' 8080. */
const PORTS = { metricsServer: 9444, webhooks: 9443, grpc: 9666 };

const NAMESPACE = 'keda';

type Webhook = { name: string; clientConfig: { service: object; caBundle?: string }; failurePolicy: string };

/**
 * Starts KEDA's operator, its metrics server and its webhook, with the account, rights and objects of its own sources, and waits until Kubernetes
 * reaches them.
 *
 * @param sources of KEDA
 */
export async function startKeda(
  cluster: Cluster,
  programs: Programs,
  certificates: Certificates,
  sources: string,
  observe: Observe,
): Promise<void> {
  const { api, kubectl, kubeconfig } = cluster;
  const config = (name: string) => path.join(sources, 'config', name);
  await kubectl('apply', '--filename', config('general/namespace.yaml'));
  await kubectl('apply', '--server-side', '--kustomize', config('crd'));
  const files = ['service_account/service_account', 'rbac/role', 'rbac/role_binding', 'metrics-server/role_binding'];
  for (const file of [...files, 'metrics-server/role', 'metrics-server/api_service']) {
    await kubectl('apply', '--filename', config(`${file}.yaml`));
  }
  const token = await kubectl('create', 'token', 'keda-operator', '--namespace', NAMESPACE, '--duration=12h');
  startPrograms(programs, certificates, kubeconfig('keda', token));

  // No pod is behind them, as these programs are started without.
  for (const name of ['keda-metrics-apiserver', 'keda-admission-webhooks']) {
    const service = ['service', 'externalname', name, '--namespace', NAMESPACE];
    await kubectl('create', ...service, '--external-name', 'localhost');
  }
  const caBundle = readFileSync(certificates.authority).toString('base64');
  const apiService = '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io';
  await api.merge(apiService, { spec: { caBundle, service: { port: PORTS.metricsServer } } });
  await observe('Kubernetes reaches the metrics server of KEDA', 'True', () => isAvailable(cluster, apiService), 120);
  await addWebhook(cluster, config('webhooks/validation_webhooks.yaml'), caBundle);
  await observe('KEDA refuses fewer pods at most than at least', true, () => isRefused(cluster), 120);
}

function startPrograms(programs: Programs, { folder, authority, certificate, key }: Certificates, config: string) {
  const env = {
    KUBECONFIG: config,
    POD_NAMESPACE: NAMESPACE,
    // In a pod, the operator reads its namespace from the mounted token's folder.
    KEDA_CLUSTER_OBJECT_NAMESPACE: NAMESPACE,
    WATCH_NAMESPACE: '',
  };
  const probes = (metrics: number) => [
    `--metrics-bind-address=127.0.0.1:${metrics}`,
    `--health-probe-bind-address=127.0.0.1:${metrics + 1}`,
  ];
  programs.start('keda-operator', ['--leader-elect', `--cert-dir=${folder}`, ...probes(9101)], env);
  programs.start('keda-webhooks', [`--cert-dir=${folder}`, `--port=${PORTS.webhooks}`, ...probes(9103)], env);
  programs.start(
    'keda-adapter',
    [
      ...[`--secure-port=${PORTS.metricsServer}`, '--bind-address=127.0.0.1', '--port=9105'],
      ...[`--client-ca-file=${authority}`, `--tls-cert-file=${certificate}`, `--tls-private-key-file=${key}`],
      ...[`--cert-dir=${folder}`, `--metrics-service-address=127.0.0.1:${PORTS.grpc}`],
      ...['authentication', 'authorization', 'lister'].map((what) => `--${what}-kubeconfig=${config}`),
    ],
    env,
  );
}

async function isAvailable({ api }: Cluster, apiService: string): Promise<string | undefined> {
  type Service = { status?: { conditions?: { type: string; status: string }[] } };
  const { status } = await api.get<Service>(apiService);
  return status?.conditions?.find(({ type }) => type === 'Available')?.status;
}

/** The one that looks at ScaledObjects. As it comes, what it cannot be asked about is let through. */
async function addWebhook({ api, kubectl }: Cluster, file: string, caBundle: string): Promise<void> {
  const asJson = await kubectl('create', '--dry-run=client', '--output=json', '--filename', file);
  const configuration = JSON.parse(asJson) as { webhooks: Webhook[] };
  const webhooks = configuration.webhooks
    .filter(({ name }) => name === 'vscaledobject.kb.io')
    .map(({ clientConfig: { service }, ...webhook }) => ({
      ...webhook,
      failurePolicy: 'Fail',
      clientConfig: { caBundle, service: { ...service, port: PORTS.webhooks } },
    }));
  await api.post('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
    ...configuration,
    webhooks,
  });
}

async function isRefused({ api }: Cluster): Promise<boolean> {
  const spec = { scaleTargetRef: { name: 'none' }, minReplicaCount: 2, maxReplicaCount: 1, triggers: [] };
  const senseless = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'senseless' }, spec };
  const path = '/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects?dryRun=All';
  return api.post(path, senseless).then(
    () => false,
    ({ message }: Error) => /MaxReplicaCount/i.test(message),
  );
}
