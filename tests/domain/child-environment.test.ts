import { expect, test } from 'vitest';
import { childEnvironment } from '../../domain/child-environment.mjs';

const usual = { PATH: '/bin', HOME: '/home/me', TMPDIR: '/t', LANG: 'de_DE.UTF-8', LC_TIME: 'C', TZ: 'UTC' };
const computing = {
  LD_LIBRARY_PATH: '/cuda',
  CUDA_VISIBLE_DEVICES: '1',
  NVIDIA_VISIBLE_DEVICES: 'all',
  OMP_NUM_THREADS: '2',
};
const fleet = {
  ...{
    TEMPORAL_API_KEY: 'k',
    TEMPORAL_ADDRESS: 'a:1',
    PIXART_WEBHOOK_SECRET: 's',
    GOOGLE_APPLICATION_CREDENTIALS: 'f',
  },
  ...{ STORAGE_EMULATOR_HOST: 'h', LOG_LEVEL: 'warn', OTEL_SERVICE_NAME: 'n', HTTPS_PROXY: 'http://u:p@proxy' },
};
const foreign = {
  ...{ AWS_SECRET_ACCESS_KEY: 's', GITHUB_TOKEN: 's', OPENAI_API_KEY: 's', NVIDIA_API_KEY: 's', CUDA_PASSWORD: 's' },
  ...{ HF_TOKEN: 's', DATABASE_URL: 's', LC_SECRET: 's', XDG_TOKEN: 's' },
};
const registry = { NPM_TOKEN: 't', NPM_CONFIG_REGISTRY: 'r' };
const python = { PIP_INDEX_URL: 'https://u:p@index' };
const go = { GOPROXY: 'off', GOPATH: '/go' };
const all = { ...usual, ...computing, ...fleet, ...foreign, ...registry, ...python, ...go };
const proxy = { HTTPS_PROXY: fleet.HTTPS_PROXY };

test.each([
  ['program', usual],
  ['renderer', { ...usual, ...computing, ORT_DISABLE_TELEMETRY: '1', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }],
  ['worker', { ...usual, ...computing, ...fleet }],
  ['npm', { ...usual, ...proxy, ...registry }],
  ['pip', { ...usual, ...proxy, ...python, LD_LIBRARY_PATH: '/cuda' }],
  ['go', { ...usual, ...proxy, ...go }],
] as const)('a child of kind %s gets what it needs, and no keys but its own', (kind, expected) => {
  expect(childEnvironment(kind, all)).toEqual(expected);
});

test.each([
  [undefined, '1'],
  ['', '1'],
  ['0', '0'],
  ['1', '1'],
])("if ORT_DISABLE_TELEMETRY is %o, a renderer's is %s", (own, expected) => {
  expect(childEnvironment('renderer', { ORT_DISABLE_TELEMETRY: own })).toMatchObject({
    ORT_DISABLE_TELEMETRY: expected,
  });
});

test.each([
  [undefined, 'glibc.malloc.hugetlb=1'],
  ['', 'glibc.malloc.hugetlb=1'],
  ['glibc.malloc.arena_max=1', 'glibc.malloc.arena_max=1:glibc.malloc.hugetlb=1'],
  ['glibc.malloc.hugetlb=0', 'glibc.malloc.hugetlb=0'],
  ['glibc.malloc.hugetlb=2:glibc.malloc.check=1', 'glibc.malloc.hugetlb=2:glibc.malloc.check=1'],
])('if GLIBC_TUNABLES is %o, a renderer requests huge pages unless that disables them: %s', (own, expected) => {
  expect(childEnvironment('renderer', { GLIBC_TUNABLES: own })).toMatchObject({ GLIBC_TUNABLES: expected });
});
