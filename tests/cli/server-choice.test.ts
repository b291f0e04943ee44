import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chooseServer, serverHint } from '../../cli/server-choice.ts';
import { noteFleet } from '../../infra/dev/fleet-note.ts';
import { rememberServer } from '../../infra/dev/server-memory.ts';

let state: string;

beforeEach(() => {
  state = mkdtempSync(path.join(tmpdir(), 'pixart-choice-'));
  vi.stubEnv('PIXART_STATE', state);
  vi.stubEnv('TEMPORAL_ADDRESS', '');
  vi.stubEnv('TEMPORAL_CONFIG_FILE', path.join(state, 'none.toml'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(state, { recursive: true });
});

const chosen = (options = {}) => {
  const { from, target } = chooseServer(options);
  return `${target.address}, named by ${from}`;
};

const remembered = { address: '127.0.0.1:7235', uiUrl: null, namespaceId: 'a' };

test('a named server comes first, then a running "dev", then the server in the state folder', () => {
  expect(chosen()).toBe('127.0.0.1:7233, named by nowhere');
  rememberServer(state, remembered);
  expect(chosen()).toBe('127.0.0.1:7235, named by the state folder');
  const drop = noteFleet(state, { address: '127.0.0.1:7237', namespace: 'default', allow: [] });
  expect(chosen()).toBe('127.0.0.1:7237, named by a running dev');
  vi.stubEnv('TEMPORAL_ADDRESS', 'temporal.example:7233');
  expect(chosen()).toBe('temporal.example:7233, named by a person');
  expect(chosen({ address: '127.0.0.1:9999' })).toBe('127.0.0.1:9999, named by a person');
  drop();
});

test('a state folder that never had a server, or whose record is damaged, names none', () => {
  mkdirSync(path.join(state, 'server.json'));
  expect(chosen()).toBe('127.0.0.1:7233, named by nowhere');
});

test('a printed command includes the address if it would use another server without it', () => {
  expect(serverHint({ address: '127.0.0.1:7233', namespace: 'default' })).toBe('');
  expect(serverHint({ address: '127.0.0.1:7300', namespace: 'default' })).toBe(' --address 127.0.0.1:7300');
  rememberServer(state, remembered);
  expect(serverHint({ address: '127.0.0.1:7235', namespace: 'default' })).toBe('');
  expect(serverHint({ address: '127.0.0.1:7233', namespace: 'team' })).toBe(
    ' --address 127.0.0.1:7233 --namespace team',
  );
});
