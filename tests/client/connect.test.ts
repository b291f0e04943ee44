import { TestWorkflowEnvironment } from '@temporalio/testing';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, temporalTarget } from '../../client/index.ts';
import { findTemporal } from '../../infra/dev/temporal-program.ts';
import '../quiet-runtime.ts';

/** A server as found elsewhere, without our search attributes. */
let foreign: TestWorkflowEnvironment;
let address: string;

beforeAll(async () => {
  foreign = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path: findTemporal() } },
  });
  address = foreign.address!;
});

afterAll(() => foreign.teardown());

describe('connecting', () => {
  it('says that no server answers, and how to get one', async () => {
    const nobody = `127.0.0.1:${await getPort()}`;
    await expect(connect(temporalTarget({ address: nobody }))).rejects.toThrow(
      new RegExp(`no Temporal server answers at ${nobody}.*npx pixart-batch dev.*TEMPORAL_ADDRESS`),
    );
  });

  it('does not repeat a token that cannot be sent', async () => {
    const target = { address, namespace: 'default', options: { metadata: { 'x-token': 'a token\nof two lines' } } };
    const error: Error = await connect(target).then(
      () => expect.fail('connected'),
      (error) => error,
    );
    expect(error.message).toMatch(/^no Temporal server answers at .*illegal characters/);
    expect(error.message).not.toMatch(/a token|two lines/);
  });

  it('says that the namespace does not exist, and how to create it', async () => {
    await expect(connect(temporalTarget({ address, namespace: 'studio' }))).rejects.toThrow(
      `temporal operator namespace create --address ${address} --namespace studio`,
    );
  });

  it('gives the exact command that registers missing search attributes', async () => {
    await expect(connect(temporalTarget({ address }))).rejects.toThrow(
      `temporal operator search-attribute create --address ${address} --namespace default ` +
        '--name PixartTotal --type Int --name PixartDone --type Int --name PixartFailed --type Int',
    );
  });
});
