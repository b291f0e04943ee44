import { UserError } from '../../domain/user-error.ts';
import type { BundleDescription } from './bundle.ts';
import type { RenderRequest } from './render-request.ts';
import { checkSteps } from './samplers/schedule.ts';

/** @throws UserError for a request that the bundle can never serve. */
export function checkRequest(description: BundleDescription, request: RenderRequest): void {
  const { name, sizes, scheduler, transformer, vae } = description;
  if (!sizes[request.size]) {
    throw new UserError(`size ${request.size}: bundle ${name} serves ${Object.keys(sizes).join(', ')}`);
  }
  checkSteps(scheduler, request.steps, name);
  const unit = vae.factor * transformer.patch;
  expectPixels('bin.height', request.bin.height, unit);
  expectPixels('bin.width', request.bin.width, unit);
  expectPixels('height', request.height, 1);
  expectPixels('width', request.width, 1);
}

function expectPixels(name: string, found: number, unit: number): void {
  if (Number.isInteger(found) && found > 0 && found % unit === 0) return;
  throw new UserError(`${name}: expected a positive multiple of ${unit}, found ${found}`);
}
