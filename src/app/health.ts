import type { EmbeddedFrontEnd } from '../frontends/embedded/embedded-front-end.ts';
import type { ConfigWatch } from '../frontends/trunks/config-watch.ts';
import type { HealthCheck } from '../http/index.ts';
import type { MediaEngine } from '../media/ports.ts';

type Health = { health(): ReturnType<HealthCheck['check']> };

export interface HealthParts {
  frontEnd: EmbeddedFrontEnd;
  media: Pick<MediaEngine, 'stats'>;
  recognizer: Health;
  synthesizer: Health;
  sipConfig: ConfigWatch;
  store: Health;
  bank: Health;
  model: Health;
}

/** What /ready asks. */
export function healthChecks(parts: HealthParts): HealthCheck[] {
  const { frontEnd, media, recognizer, synthesizer, sipConfig, store, bank, model } = parts;
  return [
    { name: 'sip', required: true, check: () => frontEnd.health() },
    { name: 'media', required: true, check: async () => ({ ok: (await media.stats()) !== undefined }) },
    { name: 'recognizer', required: true, check: () => recognizer.health() },
    { name: 'synthesizer', required: true, check: () => synthesizer.health() },
    { name: 'sip-config', required: false, check: () => sipConfig.health() },
    // Calls go on without these: the spool, the scripted dialogue and honest answers stand in.
    { name: 'database', required: false, check: () => store.health() },
    { name: 'bank', required: false, check: () => bank.health() },
    { name: 'language-model', required: false, check: () => model.health() },
  ];
}
