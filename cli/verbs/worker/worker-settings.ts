import { UserError } from '../../../domain/user-error.ts';
import { chosenBundle } from '../../../models/pixart/index.ts';
import { storeUrl } from '../../../store/index.ts';
import { type RenderConfig, renderConfig } from '../../../workers/render-config.ts';
import type { Deployment } from '../../../workers/workflow-version.ts';
import { signingOf } from '../../options/common-options.ts';
import type { WorkerOptions } from './worker-options.ts';

/** @throws UserError if a worker would only encode texts but has no text encoder, or an option is for a role it does not have */
export function rolesOf({ orchestrator, renderer, encoder, withoutTextEncoder, large }: WorkerOptions) {
  if (encoder && withoutTextEncoder && !renderer) {
    throw new UserError('--encoder: expected a text encoder, found --without-text-encoder; leave one of the two out');
  }
  const isAll = !orchestrator && !renderer && !encoder;
  if (!isAll && !renderer) {
    if (large) throw withoutRenderer('--large');
    if (withoutTextEncoder) throw withoutRenderer('--without-text-encoder');
  }
  return {
    orchestrator: isAll || orchestrator === true,
    renderer: isAll || renderer === true,
    // A renderer encodes texts itself.
    encoder: encoder === true && (renderer !== true || withoutTextEncoder === true),
  };
}

/** @throws UserError if a build ID has no deployment, or a deployment has no orchestrator */
export function deploymentOf(
  { deployment: name, buildId }: WorkerOptions,
  orchestrator: boolean,
): Deployment | undefined {
  if (name === undefined && buildId === undefined) return undefined;
  if (name === undefined) {
    throw new UserError('--build-id: expected --deployment as well, found none; a build belongs to a deployment');
  }
  if (orchestrator) return { name, buildId };
  throw new UserError(
    '--deployment: expected a worker with an orchestrator, found none; it versions workflows, which render and encode workers do not run. ' +
      'Add --orchestrator, or leave --deployment out (TEMPORAL_DEPLOYMENT_NAME)',
  );
}

const withoutRenderer = (option: string): UserError =>
  new UserError(`${option}: expected a worker that renders, found none; add --renderer, or leave ${option} out`);

/**
 * What a renderer or an encoder needs to know.
 *
 * @throws UserError if there is no such bundle, or a setting is out of range
 */
export async function renderSettings({
  bundle,
  device,
  size,
  children,
  microBatch,
  threads,
  grace,
  checkpoint,
  scratch,
  encryptKept,
  large,
  metricsAddress,
  withoutTextEncoder,
  ...others
}: WorkerOptions): Promise<RenderConfig> {
  const signing = signingOf(others);
  const { folder } = await chosenBundle(bundle);
  return renderConfig({
    bundle: folder,
    device,
    sizes: size ?? [],
    graceSeconds: grace,
    ...(checkpoint === undefined ? {} : { checkpointSeconds: checkpoint }),
    ...(scratch === undefined ? {} : { scratch: storeUrl(scratch) }),
    encryptKept: encryptKept === 'yes',
    large: large === true,
    metrics: metricsAddress !== undefined,
    textEncoder: withoutTextEncoder !== true,
    ...(children === undefined ? {} : { children }),
    ...(threads === undefined ? {} : { threads }),
    ...(microBatch === undefined ? {} : { microBatch }),
    ...(signing === undefined ? {} : { signing }),
  });
}
