import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JwtOptions } from '../../codec-server/access.ts';

export type IdentityProvider = {
  jwt: JwtOptions;
  /**
   * A user's token. With `isOurs` false, it is signed with a key that the provider does not publish; with `kid` null,
   * it names no key.
   */
  token(claims?: Record<string, unknown>, isOurs?: boolean, kid?: string | null): Promise<string>;
  stop(): void;
};

/** Signs tokens, and publishes its keys over HTTP. */
export async function identityProvider(): Promise<IdentityProvider> {
  const [ours, next, other] = await Promise.all([1, 2, 3].map(() => generateKeyPair('ES256')));
  const published = { tonight: ours!, tomorrow: next! };
  const keys = await Promise.all(
    Object.entries(published).map(async ([kid, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg: 'ES256',
    })),
  );
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const [issuer, audience] = ['https://id.example.com/', 'temporal'];
  const inAnHour = Math.floor(Date.now() / 1_000) + 3_600;
  return {
    jwt: { issuer, audience, jwks: new URL(`http://127.0.0.1:${port}/jwks.json`) },
    token: (claims = {}, isOurs = true, kid = 'tonight') =>
      new SignJWT({ sub: 'ada', iss: issuer, aud: audience, exp: inAnHour, ...claims })
        .setProtectedHeader({ alg: 'ES256', ...(kid !== null && { kid }) })
        .sign((isOurs ? ours : other)!.privateKey),
    stop: () => server.close(),
  };
}
