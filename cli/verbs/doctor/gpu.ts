import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../../infra/build/kept-build.mjs';
import { type Finding, ok } from './finding.ts';

const DRIVER = '/proc/driver/nvidia/version';

/** What ONNX Runtime's CUDA libraries are linked against, since 1.27. */
const LIBRARIES = [
  {
    what: 'CUDA',
    name: 'libcublasLt.so.13',
    remedy: 'install CUDA 13 (cuBLAS, cuRAND) and add its folder to LD_LIBRARY_PATH',
  },
  { what: 'cuDNN', name: 'libcudnn.so.9', remedy: 'install cuDNN 9 and add its folder to LD_LIBRARY_PATH' },
];

const PROVIDER = 'libonnxruntime_providers_cuda.so';

/** @param device the device to render on; `cpu` needs none of this */
export async function gpu(device: string): Promise<Finding[]> {
  const state = device === 'cpu' ? 'optional' : 'missing';
  if (!existsSync(DRIVER)) {
    const remedy = 'images are rendered on the CPU; for --device cuda:0 install the NVIDIA driver';
    return [{ what: 'NVIDIA driver', state, found: 'none', remedy }];
  }
  const known = await libraries();
  return [
    ok('NVIDIA driver', DRIVER),
    existsSync(path.join(providers(), PROVIDER))
      ? ok('ONNX Runtime for CUDA', path.join(providers(), PROVIDER))
      : {
          what: 'ONNX Runtime for CUDA',
          state,
          found: `no ${PROVIDER}`,
          remedy:
            'node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12 (docs/guide.md, "GPUs")',
        },
    ...LIBRARIES.map(({ what, name, remedy }): Finding => {
      const place = known(name);
      return place === null ? { what, state, found: `no ${name}`, remedy } : ok(what, place);
    }),
  ];
}

function providers(): string {
  const runtime = createRequire(path.join(ROOT, 'package.json')).resolve('onnxruntime-node/package.json');
  return path.join(path.dirname(runtime), 'bin', 'napi-v6', process.platform, process.arch);
}

/** Looks libraries up where the system's loader does. */
async function libraries(): Promise<(name: string) => string | null> {
  const { stdout } = await promisify(execFile)('ldconfig', ['-p']).catch(() => ({ stdout: '' }));
  const folders = [...(process.env.LD_LIBRARY_PATH ?? '').split(path.delimiter).filter(Boolean), providers()];
  return (name) => {
    const named = folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
    return (
      named ??
      stdout
        .split('\n')
        .find((line) => line.trim().startsWith(`${name} `))
        ?.split('=> ')[1] ??
      null
    );
  };
}
