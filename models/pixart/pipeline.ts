import type { Bundle } from './bundle.ts';
import type { Device, RenderedImage, RenderOptions, RenderRequest } from './render-request.ts';

/** Part of every render key: raise it when, and only when, the same request gives other pixels than before. */
export const PIPELINE_VERSION = 1;

/** A bundle's networks, loaded on one device. Renders one image at a time. */
export type Pipeline = {
  readonly bundle: Bundle;
  /** @throws UserError for a request that this bundle can never serve; the signal's reason where it was aborted. */
  render(request: RenderRequest, options?: RenderOptions): Promise<RenderedImage>;
  /** Frees the sessions. Start a new process rather than load another bundle in this one: sessions leak. */
  dispose(): Promise<void>;
};

export type LoadPipeline = (
  bundle: Bundle,
  options: { device: Device; threads?: number | undefined },
) => Promise<Pipeline>;
