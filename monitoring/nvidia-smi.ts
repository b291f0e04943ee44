import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 5_000;

/**
 * What the driver tells of one GPU (`memory.used`, `name`), without units. Devices are counted as CUDA counts them in this process:
 * `CUDA_VISIBLE_DEVICES` may leave some out. Where unlike cards are in one machine, `CUDA_DEVICE_ORDER=PCI_BUS_ID` makes CUDA count
 * them as the driver does.
 *
 * @param device `cuda:0`
 * @throws Error where there is no `nvidia-smi`, or it does not know the device
 */
export async function nvidiaSmi(device: string, field: 'memory.used' | 'name'): Promise<string> {
  const index = Number(device.slice('cuda:'.length));
  const visible = process.env.CUDA_VISIBLE_DEVICES?.split(',');
  const id = visible?.[index]?.trim() || String(index);
  const query = [`--id=${id}`, `--query-gpu=${field}`, '--format=csv,noheader,nounits'];
  const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: TIMEOUT_MS });
  return stdout.trim();
}
