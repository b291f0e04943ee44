import type * as onnxruntime from 'onnxruntime-node';
import { noTelemetry } from '../../domain/child-environment.mjs';

// Before it is loaded; an ordinary import would run first.
Object.assign(process.env, noTelemetry(process.env));

/** ONNX Runtime, without its telemetry. Nobody else imports the package. */
export const { InferenceSession, Tensor } = await import('onnxruntime-node');
export type InferenceSession = onnxruntime.InferenceSession;
export type Tensor = onnxruntime.Tensor;
