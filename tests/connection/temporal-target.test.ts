import { describe, expect, it } from 'vitest';
import { temporalTarget } from '../../client/index.ts';

const env = { HOME: '/nonexistent', TEMPORAL_ADDRESS: 'cluster:7233', TEMPORAL_NAMESPACE: 'studio' };

describe('the server to use', () => {
  it('is a local one by default', () => {
    expect(temporalTarget({}, { HOME: '/nonexistent' })).toEqual({
      address: '127.0.0.1:7233',
      namespace: 'default',
      options: {},
    });
  });

  it('is that of the environment, unless one is given', () => {
    expect(temporalTarget({}, env)).toMatchObject({ address: 'cluster:7233', namespace: 'studio' });
    expect(temporalTarget({ address: 'here:1' }, env)).toMatchObject({ address: 'here:1', namespace: 'studio' });
  });

  it('gets neither the key nor the namespace of a remote server if it is a local one', () => {
    const cloud = { ...env, TEMPORAL_API_KEY: 'secret' };
    const address = '127.0.0.1:7233';
    expect(temporalTarget({ address }, cloud)).toEqual({ address, namespace: 'default', options: {} });
    expect(temporalTarget({ address, namespace: 'night' }, cloud)).toMatchObject({ namespace: 'night' });
    const tunnel = { ...cloud, TEMPORAL_ADDRESS: 'localhost:9000' };
    expect(temporalTarget({ address }, tunnel)).toMatchObject({ options: { apiKey: 'secret' }, namespace: 'studio' });
  });

  it('is reached over TLS with an API key, as Temporal Cloud is', () => {
    const { options } = temporalTarget({}, { ...env, TEMPORAL_API_KEY: 'secret' });
    expect(options).toEqual({ apiKey: 'secret', tls: true });
  });

  it('is rejected with a reason if a certificate cannot be read', () => {
    const broken = {
      ...env,
      TEMPORAL_TLS_CLIENT_CERT_PATH: '/nonexistent.pem',
      TEMPORAL_TLS_CLIENT_KEY_PATH: '/nonexistent.key',
    };
    expect(() => temporalTarget({}, broken)).toThrow(/Temporal's configuration: .*nonexistent\.pem/);
  });

  it.each([
    'http://127.0.0.1:7233',
    'https://studio.a2dd6.tmprl.cloud:7233',
    '127.0.0.1:7233/',
    'localhost:abc',
    'localhost:99999',
    'localhost:0',
    'key@localhost:7233',
    'two words:7233',
    ':7233',
  ])('is not one whose address is %j, which the error says, and where it is', (address) => {
    const found = `found "${address}"`;
    expect(() => temporalTarget({ address }, {})).toThrow(
      new RegExp(`^--address: expected a host and port .*${found}$`),
    );
    expect(() => temporalTarget({}, { ...env, TEMPORAL_ADDRESS: address })).toThrow(
      new RegExp(`^TEMPORAL_ADDRESS, .*${found}$`),
    );
  });

  it.each(['localhost', 'temporal-frontend.default.svc:7233', '[::1]:7233', '10.0.0.7:443'])(
    'may have the address %s',
    (address) => expect(temporalTarget({ address }, { HOME: '/nonexistent' })).toMatchObject({ address }),
  );

  it('is the given one, even if the address in the environment is wrong', () => {
    const broken = { ...env, TEMPORAL_ADDRESS: 'https://cluster' };
    expect(temporalTarget({ address: 'here:1' }, broken)).toMatchObject({ address: 'here:1' });
  });

  it('is not one without an address', () => {
    expect(() => temporalTarget({ address: '' }, env)).toThrow('--address: expected a host and port');
  });
});
