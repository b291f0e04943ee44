import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UserError } from '../domain/user-error.ts';

/** Identifies the signer: the key's certificate, and those that lead from it towards a root. */
export type Chain = { leaf: X509Certificate; others: X509Certificate[]; file: string };

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Extended key usages that C2PA readers accept: C2PA claim signing, document signing, and e-mail protection. */
const PURPOSES = ['1.3.6.1.4.1.62558.2.1', '1.3.6.1.5.5.7.3.36', '1.3.6.1.5.5.7.3.4'];

/**
 * Reads a chain from a PEM file. A root at its end is left out of pictures, as C2PA requires.
 *
 * @throws UserError if the file has no certificate, or one that C2PA readers would not accept
 */
export async function readChain(file: string): Promise<Chain> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UserError(`--sign-as: expected a file with certificates, found ${error.message}`);
  });
  const [leaf, ...others] = (text.match(PEM) ?? []).map((pem) => parse(pem, file));
  if (leaf === undefined)
    throw wrong(file, 'the certificate of the key first, then those that issued it, in PEM', 'none');
  checkLeaf(leaf, file);
  checkOrder([leaf, ...others], file);
  return { leaf, others: others.filter((certificate) => !isSelfSigned(certificate)), file };
}

/** @throws UserError if the certificate is not valid at this time */
export function checkTime({ leaf, file }: Chain, now = Date.now()): void {
  const [from, to] = [leaf.validFrom, leaf.validTo].map((text) => new Date(text));
  if (now >= from!.getTime() && now < to!.getTime()) return;
  const span = `${from!.toISOString()} to ${to!.toISOString()}`;
  throw wrong(file, 'a certificate that is valid now', `one that is valid from ${span}; renew it`);
}

function checkLeaf(leaf: X509Certificate, file: string): void {
  if (leaf.ca || isSelfSigned(leaf)) {
    const found = `${subject(leaf)}, a certificate authority's or self-signed`;
    throw wrong(file, "the key's certificate first, issued by another one", found);
  }
  const purposes = leaf.keyUsage ?? [];
  if (purposes.some((purpose) => PURPOSES.includes(purpose))) return;
  const expected = `a certificate whose extended key usage has C2PA claim signing, document signing or e-mail protection (${PURPOSES.join(', ')})`;
  throw wrong(file, expected, purposes.join(', ') || 'none');
}

function checkOrder(chain: X509Certificate[], file: string): void {
  for (const [i, issuer] of chain.slice(1).entries()) {
    const issued = chain[i]!;
    if (issued.checkIssued(issuer) && issued.verify(issuer.publicKey)) continue;
    throw wrong(
      file,
      `certificate ${i + 2} to be the one that issued certificate ${i + 1}`,
      `${subject(issuer)} after ${subject(issued)}`,
    );
  }
}

function parse(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw wrong(file, 'certificates in PEM', (error as Error).message);
  }
}

const isSelfSigned = (certificate: X509Certificate): boolean => certificate.subject === certificate.issuer;

export const subject = ({ subject }: X509Certificate): string => subject.replaceAll('\n', ', ');

const wrong = (file: string, expected: string, found: string): UserError =>
  new UserError(`--sign-as ${file}: expected ${expected}, found ${found}`);
