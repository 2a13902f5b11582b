import { silentLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';

/**
 * The media plane alone, in a process of its own: `calls` sessions that send to one port and hear what comes from it, with
 * the connector's VAD or a plain one. Says `{ ports }` over IPC; ends with its parent.
 */

export interface MediaServerSettings {
  readonly calls: number;
  readonly remotePort: number;
  readonly vad: boolean;
}

const { calls, remotePort, vad } = JSON.parse(process.argv[2]!) as MediaServerSettings;
const module = new URL('../../src/speech/silero/vad-engine.ts', import.meta.url).href;
const engine = await WorkerMediaEngine.start({
  log: silentLogger,
  sessionsPerWorker: calls,
  // As shipped.
  scheduling: 'realtime',
  ...(vad && { vad: { module } }),
});
const ports: number[] = [];
for (let i = 0; i < calls; i++) {
  const session = await engine.open({ call: `bench-${i}`, bindAddress: '127.0.0.1', onEvent: () => undefined });
  session.connect({
    ...{ address: '127.0.0.1', port: remotePort, codec: 'PCMU', payloadType: 0, ptimeMs: 20 },
    ...{ send: true, receive: true },
  });
  ports.push(session.localPort);
}
process.send?.({ ports });
process.on('disconnect', () => void engine.close().finally(() => process.exit(0)));
