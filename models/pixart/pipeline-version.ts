/**
 * Part of every render key: raise it when, and only when, the same request renders other pixels than before. It stands alone
 * because planning needs it where no ONNX Runtime is loaded.
 */
export const PIPELINE_VERSION = 1;
