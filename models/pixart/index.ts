export { type Bundle, type BundleDescription, type BundleRef, bundleRef, openBundle } from './bundle.ts';
export { bundleFolder, listBundles } from './installed-bundles.ts';
export { loadPipeline, PIPELINE_VERSION, type Pipeline } from './pipeline.ts';
export type { Device, RenderedImage, RenderOptions, RenderRequest } from './render-request.ts';
export { verifyBundle } from './verify-bundle.ts';
