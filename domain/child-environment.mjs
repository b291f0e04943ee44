// Plain JavaScript: set-up starts programs before anything is installed.

/** Paths, locale, and terminal capabilities. */
const USUAL = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TMP', 'TEMP', 'XDG_*'],
  ...['LANG', 'LANGUAGE', 'LC_*', 'TZ', 'TZDIR', 'TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR'],
];

/** Shared libraries, memory, threads and graphics cards: how a program computes. */
const COMPUTING = [
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_*', 'MALLOC_*', 'GLIBC_TUNABLES', 'NODE_OPTIONS', 'UV_THREADPOOL_SIZE'],
  ...['CUDA_*', 'CUDNN_*', 'CUBLAS_*', 'NVIDIA_*', 'ORT_*', 'OMP_*', 'GOMP_*', 'KMP_*', 'MKL_*', 'OPENBLAS_*'],
];

/** Proxies and certificates. A proxy's address may contain a password, so only children that need it get it. */
const NETWORK = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
];

/** Variables that `worker` and its libraries read: servers, stores, traces, fonts. */
const WORKER = [
  ...['TEMPORAL_*', 'PIXART_*', 'LOG_LEVEL', 'OTEL_*', 'GRPC_*', 'FONTCONFIG_*', 'VIPS_*'],
  ...[
    'GOOGLE_*',
    'GCLOUD_*',
    'GCE_*',
    'CLOUDSDK_*',
    'METADATA_SERVER_DETECTION',
    'NO_GCE_CHECK',
    'STORAGE_EMULATOR_HOST',
  ],
];

const GO = [
  'PATH',
  'ROOT',
  'CACHE',
  'MODCACHE',
  'ENV',
  'FLAGS',
  'PROXY',
  'SUMDB',
  'PRIVATE',
  'NOPROXY',
  'NOSUMDB',
  'AUTH',
];

/** What each kind of child gets in addition. `own` variables may be secrets, such as the registry token of `npm`. */
const KINDS = {
  /** A third-party program that needs nothing from us: a Temporal server, an emulator, `tar`. */
  program: { common: [], own: [] },
  renderer: { common: COMPUTING, own: [] },
  worker: { common: COMPUTING, own: [...NETWORK, ...WORKER] },
  npm: {
    common: [],
    own: [...NETWORK, 'NODE_OPTIONS', 'npm_config_*', 'NPM_CONFIG_*', 'NPM_TOKEN', 'NODE_AUTH_TOKEN'],
  },
  pip: { common: ['LD_LIBRARY_PATH'], own: [...NETWORK, 'PIP_*', 'PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV'] },
  go: { common: [], own: [...NETWORK, ...GO.map((name) => `GO${name}`), 'GOTOOLCHAIN', 'CGO_ENABLED', 'CC'] },
};

/** Names that a prefix must not let through: NVIDIA_API_KEY. */
const SECRET = /KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH/i;

/**
 * The environment of a child process: only what its kind needs. Ours may contain keys of the fleet, or of unrelated programs.
 *
 * @param {keyof typeof KINDS} kind
 * @param {NodeJS.ProcessEnv} [env] ours
 * @returns {Record<string, string>}
 */
export function childEnvironment(kind, env = process.env) {
  const { common, own } = KINDS[kind];
  const isPassed = (/** @type {string} */ name) =>
    isNamed(own, name) || (isNamed([...USUAL, ...common], name) && !SECRET.test(name));
  const passed = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && isPassed(name) ? [[name, value]] : [],
  );
  return { ...Object.fromEntries(passed), ...(kind === 'renderer' && { ...noTelemetry(env), ...hugePages(env) }) };
}

/**
 * Since 1.29, ONNX Runtime collects telemetry on Linux and macOS unless disabled before it is loaded. To opt in, set 0.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export const noTelemetry = (env) => ({ ORT_DISABLE_TELEMETRY: env.ORT_DISABLE_TELEMETRY || '1' });

const HUGE_PAGES = 'glibc.malloc.hugetlb';

/**
 * Makes glibc request 2 MB pages where Linux only grants them on request (`madvise`, the default). ONNX Runtime's matrix
 * product reads hundreds of rows at once, each on its own page if pages are small: a full-size step then took 1.4 times the
 * CPU time at 256 px, and up to 1.7 times at 512 px (decision 107). Other systems ignore the variable. For small pages, set 0.
 *
 * @param {NodeJS.ProcessEnv} env
 */
const hugePages = ({ GLIBC_TUNABLES: own = '' }) => ({
  GLIBC_TUNABLES: own.includes(`${HUGE_PAGES}=`) ? own : [own, `${HUGE_PAGES}=1`].filter(Boolean).join(':'),
});

/**
 * @param {string[]} names a trailing `*` matches anything
 * @param {string} name
 */
const isNamed = (names, name) =>
  names.some((known) => (known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known));
