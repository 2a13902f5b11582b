import { join } from 'node:path';
import type { BotProfile } from '../call/bot/bot-profile.ts';
import { companionsOf, findRecording } from '../call/recording/recordings.ts';
import type { RetentionPolicy } from '../call/recording/retention.ts';
import type { Config } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { PostgresStore } from '../store/postgres/store.ts';

/** The database that is configured, or one of our own. */
export function openStore(config: Config, log: Logger): Promise<PostgresStore> {
  return PostgresStore.open({
    ...(config.databaseUrl === undefined
      ? { embedded: { dataDir: join(config.dataDir, 'postgres') } }
      : { connectionString: config.databaseUrl }),
    tenantId: config.tenantId,
    instanceId: config.instanceId,
    spoolDir: join(config.dataDir, 'spool'),
    recordings: {
      dataDir: config.dataDir,
      companions: companionsOf,
      find: (call) => findRecording({ dataDir: config.dataDir, keys: config.recording.keys, log }, call),
    },
    log,
    clock: systemClock,
  });
}

export function retentionPolicy(config: Config, bots: ReadonlyMap<string, BotProfile>): RetentionPolicy {
  const own = [...bots].flatMap(([name, { retention }]) => (retention ? [[name, retention] as const] : []));
  return { ...config.recording.retention, bots: new Map(own) };
}
