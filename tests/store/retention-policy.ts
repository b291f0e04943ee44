import type { DecideFate, Fate } from './faulty-network.ts';

/**
 * A retention policy for the proxy in front of the emulator, which has none: objects may be created, but for a time
 * neither replaced nor deleted. Answers are Cloud Storage's (docs/measurements/store.md): preconditions are checked
 * first, and a resumable upload is refused only at its end.
 */
export function retentionPolicy(periodMs: number): DecideFate {
  const keptUntil = new Map<string, number>();
  const conditional = new Set<string>();

  const write = (object: string, onlyIfAbsent: boolean): Fate => {
    const until = keptUntil.get(object) ?? 0;
    // The emulator itself refuses to create an existing object.
    if (onlyIfAbsent && until > 0) return 'passes';
    if (until > Date.now()) return refusal(object, until);
    keptUntil.set(object, Date.now() + periodMs);
    return 'passes';
  };

  return (label, _nth, url) => {
    const [method] = label.split(' ');
    const [, uploadTo] = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(url.pathname) ?? [];
    const [, bucket, object] = /\/b\/([^/]+)\/o\/([^/]+)$/.exec(url.pathname) ?? [];
    if (uploadTo !== undefined) {
      const name = `${uploadTo}/${url.searchParams.get('name')}`;
      const onlyIfAbsent = url.searchParams.get('ifGenerationMatch') === '0';
      if (url.searchParams.get('uploadType') === 'multipart') return write(name, onlyIfAbsent);
      if (method === 'PUT') return write(name, conditional.has(name));
      if (onlyIfAbsent) conditional.add(name);
      else conditional.delete(name);
      return 'passes';
    }
    const name = `${bucket}/${decodeURIComponent(object ?? '')}`;
    if (method === 'POST' && url.pathname.includes('/rewriteTo/')) return write(name, false);
    const until = keptUntil.get(name) ?? 0;
    return method === 'DELETE' && until > Date.now() ? refusal(name, until) : 'passes';
  };
}

function refusal(object: string, until: number): Fate {
  const message =
    `Object '${object}' is subject to bucket's retention policy or object retention and cannot be deleted or ` +
    `overwritten until ${new Date(until).toISOString()}`;
  return { status: 403, body: gcsRefusal(403, 'retentionPolicyNotMet', message) };
}

/** The body of a refusal by Cloud Storage's JSON API. */
export const gcsRefusal = (code: number, reason: string, message: string): object => ({
  error: { code, message, errors: [{ message, domain: 'global', reason }] },
});
