import { InferenceSession } from 'onnxruntime-node';
import { Failure } from '../core/errors.ts';
import { firstLine } from './first-line.ts';

/** A model in the calling thread alone: the threads are ours to share out. */
export function openOnnx(path: string): Promise<InferenceSession> {
  return InferenceSession.create(path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
}

/** `what` and `code`: of the Failure for a model that does not load, with the reason in its message. */
export async function loaded<Model>(what: string, code: string, load: () => Promise<Model>): Promise<Model> {
  try {
    return await load();
  } catch (cause) {
    throw new Failure(`${what} does not load: ${firstLine(cause)}`, { code, blame: 'engine', cause });
  }
}
