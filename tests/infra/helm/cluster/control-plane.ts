import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Api } from './api.ts';
import { type Certificates, CLUSTER } from './certificates.ts';
import type { Observe } from './observe.ts';
import type { Programs } from './programs.ts';

/** Where nothing else is: what this runs in has a network of its own. */
export const SERVER = 'https://127.0.0.1:6443';
const PROXY_PORT = 8001;

/** Who asks Kubernetes, in which group. */
const USERS = {
  admin: 'system:masters',
  'system:kube-controller-manager': '',
  'system:kube-scheduler': '',
};

export type Cluster = {
  api: Api;
  /** Runs kubectl as somebody who may do everything; gives what it prints. */
  kubectl(...args: string[]): Promise<string>;
  /** Writes the file that a program finds the server by, and itself; gives its path. */
  kubeconfig(name: string, token: string): string;
};

/** Starts etcd and Kubernetes' own programs, all but those of nodes. */
export async function startControlPlane(
  programs: Programs,
  certificates: Certificates,
  folder: string,
  observe: Observe,
): Promise<Cluster> {
  const tokens = path.join(folder, 'tokens.csv');
  const lines = Object.entries(USERS).map(([user, group], id) => `${user},${user},${id},"${group}"`);
  writeFileSync(tokens, lines.join('\n'));
  const kubeconfig = (name: string, token: string) => writeKubeconfig(folder, certificates, name, token);
  const asAdmin = kubeconfig('admin', 'admin');
  // Helm, too, finds the server by it.
  process.env.KUBECONFIG = asAdmin;

  programs.start('etcd', ['--data-dir', path.join(folder, 'etcd'), '--log-level', 'warn']);
  programs.start('kube-apiserver', serverArguments(certificates, tokens));
  programs.start('kubectl', ['proxy', '--port', String(PROXY_PORT)], { KUBECONFIG: asAdmin });
  const api = new Api(`http://127.0.0.1:${PROXY_PORT}`);
  await observe('the API server is ready', true, api.isReady, 120);

  const loopback = ['--bind-address=127.0.0.1', `--cert-dir=${folder}`, '--leader-elect=false'];
  programs.start('kube-controller-manager', [
    ...loopback,
    `--kubeconfig=${kubeconfig('controller-manager', 'system:kube-controller-manager')}`,
    // Each controller with the rights of its own account: the autoscaler reads KEDA's numbers by what KEDA grants it.
    '--use-service-account-credentials',
    `--service-account-private-key-file=${certificates.key}`,
    `--root-ca-file=${certificates.authority}`,
    // The node here does not say every ten seconds that it lives.
    '--controllers=*,-node-lifecycle-controller',
    // A third of the usual, as KEDA's questions are here.
    '--horizontal-pod-autoscaler-sync-period=5s',
  ]);
  programs.start('kube-scheduler', [...loopback, `--kubeconfig=${kubeconfig('scheduler', 'system:kube-scheduler')}`]);
  const run = promisify(execFile);
  return { api, kubeconfig, kubectl: async (...args) => (await run('kubectl', args)).stdout };
}

const serverArguments = ({ authority, certificate, key }: Certificates, tokens: string): string[] => [
  ...['--etcd-servers=http://127.0.0.1:2379', '--bind-address=127.0.0.1', '--advertise-address=10.244.0.1'],
  ...['--service-cluster-ip-range=10.96.0.0/16', `--tls-cert-file=${certificate}`, `--tls-private-key-file=${key}`],
  ...['--authorization-mode=RBAC', `--token-auth-file=${tokens}`],
  ...['--service-account-issuer=https://kubernetes.default.svc'],
  ...[`--service-account-signing-key-file=${key}`, `--service-account-key-file=${certificate}`],
  // How KEDA's metrics server knows this one, which asks it in others' names.
  ...[`--requestheader-client-ca-file=${authority}`, `--requestheader-allowed-names=${CLUSTER}`],
  ...['--requestheader-username-headers=X-Remote-User', '--requestheader-group-headers=X-Remote-Group'],
  ...['--requestheader-extra-headers-prefix=X-Remote-Extra-'],
  ...[`--proxy-client-cert-file=${certificate}`, `--proxy-client-key-file=${key}`],
  // It would keep pods from the node until its controller takes the taint away, which is switched off.
  '--disable-admission-plugins=TaintNodesByCondition',
];

function writeKubeconfig(folder: string, { authority }: Certificates, name: string, token: string): string {
  const file = path.join(folder, `${name}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: SERVER, 'certificate-authority': authority } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
