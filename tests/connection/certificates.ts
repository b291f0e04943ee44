import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openssl } from '../openssl.ts';

/** Paths of a certificate and of its private key. */
export type Certificate = { cert: string; key: string };

/** A certificate authority for one test: its own certificate, and a function that issues some for this machine. */
export type Authority = { cert: string; issue(name: string): Certificate };

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Creates an authority with its files in the folder. Needs openssl. */
export function makeAuthority(folder: string, authority: string): Authority {
  const file = (name: string): string => join(folder, name);
  const [cert, key] = [file(`${authority}.pem`), file(`${authority}.key`)];
  openssl(['req', '-x509', ...NEW_KEY, '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${authority}`]);
  return {
    cert,
    issue(name) {
      const issued = { cert: file(`${authority}-${name}.pem`), key: file(`${authority}-${name}.key`) };
      const [request, extensions] = [file(`${name}.csr`), file(`${name}.ext`)];
      writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost');
      openssl(['req', ...NEW_KEY, '-keyout', issued.key, '-out', request, '-subj', `/CN=${name}`]);
      const by = ['-CA', cert, '-CAkey', key, '-CAcreateserial'];
      openssl(['x509', '-req', '-in', request, ...by, '-days', '2', '-extfile', extensions, '-out', issued.cert]);
      return issued;
    },
  };
}
