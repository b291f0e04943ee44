import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** What programs of the cluster prove to each other who they are with. */
export type Certificates = { folder: string; authority: string; certificate: string; key: string };

/** The common name of the one certificate that all have. */
export const CLUSTER = 'cluster';

const NAMES = [
  ...['DNS:localhost', 'IP:127.0.0.1', 'DNS:kubernetes.default.svc'],
  ...['DNS:keda-metrics-apiserver.keda.svc', 'DNS:keda-admission-webhooks.keda.svc'],
];

/** An authority, and a certificate for whatever serves or asks. The files are named as in KEDA's Secret, which its programs ask for. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string) => path.join(folder, name);
  const made = { folder, authority: file('ca.crt'), certificate: file('tls.crt'), key: file('tls.key') };
  const certify = (name: string, key: string, certificate: string, more: string[]) =>
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '1'],
        ...['-subj', `/CN=${name}`, '-keyout', key, '-out', certificate, ...more],
      ],
      { stdio: 'pipe' },
    );
  certify('authority', file('ca.key'), made.authority, []);
  certify(CLUSTER, made.key, made.certificate, [
    ...['-CA', made.authority, '-CAkey', file('ca.key')],
    ...['-addext', `subjectAltName=${NAMES.join(',')}`],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
  ]);
  return made;
}
