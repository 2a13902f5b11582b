import { Counter, Gauge, type Registry } from 'prom-client';
import type { MediaEngineStats } from '../../media/ports.ts';
import type { TransportStats } from '../../sip/transport/transport-layer.ts';
import { askedOnce } from './asked-once.ts';

/** What the store tells of itself; see its metrics(). */
export interface StoreFigures {
  appended: number;
  written: number;
  spooled: number;
  drained: number;
  dead: number;
  lost: number;
  queued: number;
  spoolBytes: number;
  spoolSegments: number;
  away: 0 | 1;
}

const STORE_TOTALS = {
  appended: 'Rows that calls gave to the store',
  written: 'Rows in Postgres, straight or out of the spool',
  spooled: 'Rows that went to the spool on disk',
  drained: 'Rows that went from the spool to Postgres',
  dead: 'Rows that Postgres refused and that were set aside',
  lost: 'Rows that are neither in Postgres nor on disk',
} as const;

const STORE_NOW: { name: string; help: string; read: (figures: StoreFigures) => number }[] = [
  { name: 'voice_store_queued_rows', help: 'Rows in memory, not yet kept', read: ({ queued }) => queued },
  { name: 'voice_store_spool_bytes', help: 'Size of the spool on disk', read: ({ spoolBytes }) => spoolBytes },
  { name: 'voice_store_spool_segments', help: 'Files of the spool', read: ({ spoolSegments }) => spoolSegments },
  { name: 'voice_store_away', help: '1 while rows go to the spool instead of Postgres', read: ({ away }) => away },
];

/** The store's figures, read when they are scraped. */
export function storeMetrics(registry: Registry, read: () => StoreFigures): void {
  const registers = [registry];
  for (const [key, help] of Object.entries(STORE_TOTALS)) {
    new Counter({
      name: `voice_store_${key}_rows_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read()[key as keyof typeof STORE_TOTALS]);
      },
    });
  }
  for (const { name, help, read: pick } of STORE_NOW) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(pick(read()));
      },
    });
  }
}

/** The media engine's figures, read when they are scraped: once for all of them. Without an answer there are none. */
export function mediaMetrics(registry: Registry, read: () => Promise<MediaEngineStats>): void {
  const registers = [registry];
  const ask = askedOnce(() => read().catch(() => undefined));
  const gauge = (name: string, help: string, pick: (stats: MediaEngineStats) => number) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const stats = await ask();
        if (stats) this.set(pick(stats));
        else this.remove();
      },
    });
  gauge('voice_media_sessions', 'Open media sessions', ({ sessions }) => sessions);
  gauge('voice_media_ports_free', 'RTP ports that can be taken', ({ portsFree }) => portsFree);
  new Gauge({
    name: 'voice_media_pacer_lateness_seconds',
    help: 'Worst lateness of the packet pacer in the last 10 s',
    labelNames: ['worker'],
    registers,
    async collect() {
      const stats = await ask();
      this.reset();
      // A worker that did not answer has no figure.
      stats?.pacerLatenessMs.forEach((ms, worker) => {
        if (Number.isFinite(ms)) this.set({ worker: String(worker) }, ms / 1000);
      });
    },
  });
  new Counter({
    name: 'voice_media_worker_restarts_total',
    help: 'Media workers that died or hung and were replaced',
    registers,
    async collect() {
      const stats = await ask();
      // Without an answer the last figure stands: a counter that falls has begun anew.
      if (!stats) return;
      this.reset();
      this.inc(stats.workerRestarts ?? 0);
    },
  });
  new Counter({
    name: 'voice_media_vad_restarts_total',
    help: 'VAD engines replaced because they failed, hung or had gone deaf, since the worker started',
    labelNames: ['worker'],
    registers,
    async collect() {
      const stats = await ask();
      this.reset();
      stats?.vadRestarts?.forEach((restarts, worker) => {
        if (Number.isFinite(restarts)) this.inc({ worker: String(worker) }, restarts);
      });
    },
  });
}

/** TCP, TLS and WebSocket connections of the SIP side. */
export function connectionMetrics(registry: Registry, read: () => TransportStats, dialogs: () => number): void {
  const registers = [registry];
  new Gauge({
    name: 'voice_sip_dialogs',
    help: 'SIP dialogs: calls in and out that ring, are up or are being hung up',
    registers,
    collect() {
      this.set(dialogs());
    },
  });
  new Gauge({
    name: 'voice_sip_connections',
    help: 'Open SIP connections by protocol',
    labelNames: ['protocol'],
    registers,
    collect() {
      for (const [protocol, open] of Object.entries(read().connections)) this.set({ protocol }, open);
    },
  });
  new Counter({
    name: 'voice_sip_connections_refused_total',
    help: 'SIP connections refused: no room, too many or too fast from one address; or cut off to make room (evicted)',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      const { refused, evicted } = read();
      for (const [reason, count] of Object.entries({ ...refused, evicted })) this.inc({ reason }, count);
    },
  });
  new Counter({
    name: 'voice_sip_late_invites_total',
    help: 'INVITEs over UDP let go unread, since they had waited for so long that they have been sent again',
    registers,
    collect() {
      this.reset();
      this.inc(read().late);
    },
  });
}
