import { availableParallelism } from 'node:os';
import type { Config } from '../config.ts';
import type { Logger } from '../core/log.ts';
import { WorkerMediaEngine } from '../media/media-engine.ts';

const VAD_MODULE = new URL('../speech/silero/vad-engine.ts', import.meta.url).href;

/** Calls of one media thread before the next gets some: half of what one can carry who all speak. */
const SESSIONS_TO_FILL = 150;

/** The media plane. `speech`: somebody listens to what is said. */
export function startMedia(config: Config, speech: boolean, log: Logger): Promise<WorkerMediaEngine> {
  const workers = config.mediaWorkers ?? availableParallelism();
  return WorkerMediaEngine.start({
    workers,
    sessionsToFill: SESSIONS_TO_FILL,
    ports: config.rtp,
    dtls: true,
    udp: config.rtpBy,
    scheduling: config.mediaScheduling,
    vad: speech ? { module: VAD_MODULE } : undefined,
    // Twice, for legs beside the caller's. How many are too many is admission's to say: by load, not by count.
    sessionsPerWorker: Math.max(500, Math.ceil((2 * config.maxCalls) / workers)),
    log,
  });
}
