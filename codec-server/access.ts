import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';

/** Who may have payloads decoded. At least one of the two is set. */
export type AccessOptions = {
  /** Grants access to anyone who sends it, or has signed in with it. */
  token: string | null;
  /** Grants access to anyone with an identity provider's token for this audience, such as the one that Temporal's UI passes on. */
  jwt: JwtOptions | null;
};

export type JwtOptions = { issuer: string; audience: string; jwks: URL };

/** Signatures that only the identity provider can make: not `none`, and none with a shared secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

export const COOKIE = 'pixart-codec';
const SIGNED_IN_MS = 12 * 3_600_000;

/** Decides about access by a request's headers. */
export class Access {
  readonly #token: string | null;
  readonly #jwt: (JwtOptions & { keys: JWTVerifyGetKey }) | null;

  constructor({ token, jwt }: AccessOptions) {
    this.#token = token;
    this.#jwt = jwt && { ...jwt, keys: createRemoteJWKSet(jwt.jwks) };
  }

  /** Whether people can sign in here, in a browser. */
  get hasSignIn(): boolean {
    return this.#token !== null;
  }

  /**
   * The caller, for the log: `token`, `cookie`, or the subject of an identity provider's token. `null` if access is denied.
   *
   * @throws Error if the identity provider's keys are not available
   */
  async caller(headers: IncomingHttpHeaders): Promise<string | null> {
    const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined && this.isToken(bearer)) return 'token';
    if (this.#isSignedIn(headers.cookie ?? '')) return 'cookie';
    // An access token may be opaque to everyone but the provider; the UI also sends the ID token.
    for (const jwt of [bearer, headers['authorization-extras']]) {
      const subject = typeof jwt === 'string' ? await this.#subjectOf(jwt) : null;
      if (subject !== null) return subject;
    }
    return null;
  }

  /** The text of a refusal. */
  get expected(): string {
    const ways = [
      ...(this.#token === null ? [] : ["the codec server's token, or a sign-in at its address with cookies included"]),
      ...(this.#jwt === null ? [] : [`a token of ${this.#jwt.issuer} for ${this.#jwt.audience}`]),
    ];
    return `expected ${ways.join(', or ')}; found neither`;
  }

  isToken(text: string): boolean {
    return this.#token !== null && isSame(text, this.#token);
  }

  /** A cookie for somebody who has signed in, valid for twelve hours. */
  signIn(now = Date.now()): { value: string; seconds: number } {
    const until = String(now + SIGNED_IN_MS);
    return { value: `${until}.${this.#proofOf(until)}`, seconds: SIGNED_IN_MS / 1_000 };
  }

  #isSignedIn(cookies: string, now = Date.now()): boolean {
    if (this.#token === null) return false;
    const found = new RegExp(`(?:^|; )${COOKIE}=(\\d{1,16})\\.([0-9a-f]{64})(?:;|$)`).exec(cookies);
    return found !== null && Number(found[1]) > now && isSame(found[2]!, this.#proofOf(found[1]!));
  }

  /** Keyed with the token, so that changing the token signs everybody out. */
  #proofOf = (until: string): string =>
    createHmac('sha256', this.#token ?? '')
      .update(`signed in until ${until}`)
      .digest('hex');

  async #subjectOf(jwt: string): Promise<string | null> {
    if (this.#jwt === null) return null;
    const { keys, issuer, audience } = this.#jwt;
    try {
      const { payload } = await jwtVerify(jwt, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp'],
      });
      return payload.sub ?? 'somebody without a name';
    } catch (error) {
      if (isRefusal(error)) return null;
      throw error;
    }
  }
}

/** Whether the token is at fault, rather than access to the identity provider's keys. */
const isRefusal = (error: unknown): boolean =>
  error instanceof errors.JOSEError &&
  /^ERR_(JWT_|JWS_|JWKS_(NO|MULTIPLE)_MATCHING_KEY|JOSE_ALG_NOT_ALLOWED|JOSE_NOT_SUPPORTED)/.test(error.code);

/** Compares in constant time, which reveals neither where the texts differ nor the secret's length. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compared').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
