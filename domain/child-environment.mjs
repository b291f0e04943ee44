// Plain JavaScript: set-up starts programs before anything is installed.

/** Where things are, how people there write, and what a terminal can do. */
const USUAL = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TMP', 'TEMP', 'XDG_*'],
  ...['LANG', 'LANGUAGE', 'LC_*', 'TZ', 'TZDIR', 'TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR'],
];

/** Shared libraries, memory, threads and graphics cards: how a program computes. */
const COMPUTING = [
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_*', 'MALLOC_*', 'GLIBC_TUNABLES', 'NODE_OPTIONS', 'UV_THREADPOOL_SIZE'],
  ...['CUDA_*', 'CUDNN_*', 'CUBLAS_*', 'NVIDIA_*', 'ORT_*', 'OMP_*', 'GOMP_*', 'KMP_*', 'MKL_*', 'OPENBLAS_*'],
];

/** The way out. A proxy's address may have a password in it, so that only those get it who need it. */
const NETWORK = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
];

/** What `worker` reads, and the libraries in it: servers, stores, traces, fonts. */
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

/** What each kind of child gets besides the usual, and what of that may be a key: its own, as an `npm` has the registry's. */
const KINDS = {
  /** Somebody else's program that needs nothing of ours: a Temporal server, an emulator, `tar`. */
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

/** What a prefix would let through that is not meant: NVIDIA_API_KEY. */
const SECRET = /KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH/i;

/**
 * The environment of a child process: what its kind needs. There may be keys in ours, of the fleet or of programs that we do not know.
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
 * Since 1.29 ONNX Runtime gathers telemetry on Linux and macOS unless told not to before it is loaded. Who wants to take part sets 0.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export const noTelemetry = (env) => ({ ORT_DISABLE_TELEMETRY: env.ORT_DISABLE_TELEMETRY || '1' });

const HUGE_PAGES = 'glibc.malloc.hugetlb';

/**
 * Has glibc ask for pages of 2 MB wherever Linux gives them on request only (`madvise`, the usual setting). ONNX Runtime's matrix product
 * reads hundreds of rows at once, each on a page of its own when pages are small: those of a full-size step took 1.4 times the processor
 * time at 256 px, up to 1.7 times at 512 px (decision 107). Other
 * systems pass over the variable. Who wants small pages sets 0.
 *
 * @param {NodeJS.ProcessEnv} env
 */
const hugePages = ({ GLIBC_TUNABLES: own = '' }) => ({
  GLIBC_TUNABLES: own.includes(`${HUGE_PAGES}=`) ? own : [own, `${HUGE_PAGES}=1`].filter(Boolean).join(':'),
});

/**
 * @param {string[]} names a `*` at the end stands for anything
 * @param {string} name
 */
const isNamed = (names, name) =>
  names.some((known) => (known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known));
