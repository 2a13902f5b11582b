import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Calls } from '../call/calls.ts';
import { admissionMetrics } from '../call/metrics/admission-metrics.ts';
import { CallMetrics } from '../call/metrics/metrics.ts';
import { outboundMetrics } from '../call/metrics/outbound-metrics.ts';
import { connectionMetrics, mediaMetrics, storeMetrics } from '../call/metrics/plant-metrics.ts';
import { laterTranscriptMetrics, recognizerMetrics, secondEarMetrics } from '../call/metrics/speech-metrics.ts';
import type { LaterTranscript } from '../call/record/later-transcript.ts';
import type { CallRegistry } from '../call/registry.ts';
import type { Scope } from '../core/scope.ts';
import type { Admission } from '../frontends/admission/admission.ts';
import type { EmbeddedFrontEnd } from '../frontends/embedded/embedded-front-end.ts';
import type { WorkerMediaEngine } from '../media/media-engine.ts';
import type { PostgresStore } from '../store/postgres/store.ts';
import type { Ears } from './speech.ts';

export interface MeasuredParts {
  calls: Calls;
  registry: CallRegistry;
  store: PostgresStore;
  media: WorkerMediaEngine;
  ears: Ears;
  transcript: LaterTranscript;
  admission: Admission;
  frontEnd: EmbeddedFrontEnd;
}

/** What /metrics tells: each part is asked when somebody reads it; calls are followed until the scope is closed. */
export function metricsOf(parts: MeasuredParts, scope: Scope): Registry {
  const { calls, registry, store, media, ears, transcript, admission, frontEnd } = parts;
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const callMetrics = new CallMetrics(metrics, () => calls.size);
  scope.onClose(
    'call metrics',
    registry.listen((event) => callMetrics.count(event)),
  );
  storeMetrics(metrics, () => store.metrics());
  mediaMetrics(metrics, () => media.stats());
  recognizerMetrics(metrics, ears.figures);
  if (ears.secondEar) secondEarMetrics(metrics, ears.secondEar);
  laterTranscriptMetrics(metrics, () => transcript.stats);
  admissionMetrics(metrics, admission);
  connectionMetrics(
    metrics,
    () => frontEnd.transportStats,
    () => frontEnd.dialogs,
  );
  outboundMetrics(metrics, frontEnd.outbound);
  return metrics;
}
