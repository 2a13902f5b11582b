import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { AdmissionDesk, AdmissionStatus, BlockedSource } from '../../src/call/admission.ts';
import type { EventRecord, SessionRecord, TransactionRecord, UtteranceRecord } from '../../src/call/record/records.ts';
import { CallRegistry } from '../../src/call/registry.ts';
import { silentLogger } from '../../src/core/log.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/index.ts';
import type { LiveCalls } from '../../src/http/live-calls.ts';
import { MemoryArchive } from '../support/memory-archive.ts';

export const TOKEN = 'correct horse battery staple'.replaceAll(' ', '-');
export const bearer = { authorization: `Bearer ${TOKEN}` };

export interface TestServer {
  url: string;
  server: HttpServer;
  archive: MemoryArchive;
  registry: CallRegistry;
  metrics: Registry;
  dataDir: string;
  close(): Promise<void>;
}

/** What can be done in a call that is not live: nothing. */
const NO_CALLS: LiveCalls = {
  hangup: async () => false,
  say: () => 'not-live',
  sipTrace: () => undefined,
  pauseRecording: () => 'not-live',
  transfer: () => 'not-live',
  handover: () => undefined,
  recall: () => false,
};

export interface TestServerOptions extends Omit<Partial<HttpServerOptions>, 'live'> {
  /** What the test's live calls do; the rest is as where no call is live. */
  live?: Partial<LiveCalls>;
}

/** The real server on a free loopback port, with a real registry and an archive in memory. */
export async function startServer({ live, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const archive = new MemoryArchive();
  const registry = new CallRegistry(silentLogger);
  const metrics = new Registry();
  const dataDir = await mkdtemp(join(tmpdir(), 'svc-http-'));
  const server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    adminToken: TOKEN,
    archive,
    registry,
    dataDir,
    checks: [],
    metrics,
    log: silentLogger,
    draining: () => false,
    ...(live && { live: { ...NO_CALLS, ...live } }),
    ...options,
  }).catch(async (error) => {
    await rm(dataDir, { recursive: true });
    throw error;
  });
  return {
    url: server.address,
    server,
    archive,
    registry,
    metrics,
    dataDir,
    async close() {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function session(over: Partial<SessionRecord> = {}): SessionRecord {
  return {
    sessionId: randomUUID(),
    callerPhone: '+15550100',
    callerIdentity: 'sip:+15550100@example.test',
    calledNumber: 'bank',
    direction: 'INBOUND',
    callStartTime: new Date('2026-11-20T09:00:00Z'),
    answerTime: new Date('2026-11-20T09:00:01Z'),
    callEndTime: new Date('2026-11-20T09:01:30Z'),
    sipCallId: `${randomUUID()}@example.test`,
    correlationId: randomUUID(),
    status: 'COMPLETED',
    endCause: 'caller-hangup',
    botProfile: 'bank',
    botProfileVersion: '1',
    aiProviderConfig: { languageModel: 'scripted' },
    signalling: { trusted: false, diversions: [{ uri: 'tel:+15550111', reason: 'no-answer' }] },
    trunk: 'carrier',
    ...over,
  };
}

export function liveSession(over: Partial<SessionRecord> = {}): SessionRecord {
  return session({ status: 'ACTIVE', callEndTime: undefined, endCause: undefined, ...over });
}

export function utterance(sessionId: string, sequence: number, over: Partial<UtteranceRecord> = {}): UtteranceRecord {
  const text = over.text ?? 'where is my new card';
  const startedAt = new Date(Date.UTC(2026, 10, 20, 9, 0, 1 + sequence * 4));
  return {
    utteranceId: randomUUID(),
    sessionId,
    sequence,
    speaker: 'caller',
    text,
    heard: text,
    interrupted: false,
    startedAt,
    endedAt: new Date(startedAt.getTime() + 2000),
    source: 'speech',
    ...over,
  };
}

export function event(sessionId: string, type: string, over: Partial<EventRecord> = {}): EventRecord {
  return { eventId: randomUUID(), sessionId, at: new Date('2026-11-20T09:00:01Z'), type, data: {}, ...over };
}

export function transaction(sessionId: string, over: Partial<TransactionRecord> = {}): TransactionRecord {
  return {
    transactionId: randomUUID(),
    sessionId,
    customerId: '471920',
    transactionType: 'CARD_INQUIRY',
    authenticationStatus: 'VERIFIED',
    outcome: 'POSTED',
    idempotencyKey: randomUUID(),
    queryParameters: { card: 'credit' },
    responseData: { status: 'shipped', trackingNumber: '12345' },
    createdAt: new Date('2026-11-20T09:00:20Z'),
    completedAt: new Date('2026-11-20T09:00:20.120Z'),
    ...over,
  };
}

/** A stereo 16-bit WAV: a 440 Hz tone for the caller, then a 660 Hz tone for the bot. */
export function stereoWav(seconds: number, rate = 8000): Buffer {
  const frames = Math.round(seconds * rate);
  const wav = Buffer.alloc(44 + frames * 4);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(36 + frames * 4, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(2, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate * 4, 28);
  wav.writeUInt16LE(4, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(frames * 4, 40);
  for (let i = 0; i < frames; i++) {
    const syllable = Math.max(0, Math.sin((i / rate) * 9)) ** 2 * (0.5 + 0.5 * Math.sin((i / rate) * 2.3));
    const callerTalks = Math.floor(i / rate / 3) % 2 === 1;
    const tone = (hz: number) => Math.round(Math.sin((2 * Math.PI * hz * i) / rate) * 16000 * syllable);
    wav.writeInt16LE(callerTalks ? tone(440) : 0, 44 + i * 4);
    wav.writeInt16LE(callerTalks ? 0 : tone(660), 44 + i * 4 + 2);
  }
  return wav;
}

export function recordingRow(sessionId: string, path: string, bytes: number) {
  return {
    recordingId: randomUUID(),
    sessionId,
    path,
    format: 'wav' as const,
    channels: 2 as const,
    durationMs: Math.round(((bytes - 44) / 32000) * 1000),
    bytes,
    createdAt: new Date('2026-11-20T09:01:31Z'),
  };
}

/** A gate without calls: what operators see and do is all there is to it. */
export class TestAdmission implements AdmissionDesk {
  stopped = false;
  reloads = 0;
  sources = ['192.0.2.7'];

  status(): AdmissionStatus {
    return {
      state: this.stopped ? 'stopped' : 'open',
      overload: undefined,
      share: 1,
      load: { cpu: 0.5, memory: 0.25, loopDelayMs: 1.5, setupMs: 4, receiveMs: 1 },
      bounds: { perSecond: undefined, atOnce: undefined },
      calls: 3,
      maxCalls: 200,
      waiting: 2,
      blockedSources: this.sources.length,
      accepted: 7,
      refused: { scanner: 2 },
    };
  }

  stop(stopped: boolean): void {
    this.stopped = stopped;
  }

  trunks(): ReturnType<AdmissionDesk['trunks']> {
    const facts = { calls: 3, accepted: 7, refused: 1, limits: { calls: 60 }, trustIdentity: true };
    return {
      config: { version: 'abc', loadedAt: new Date('2026-11-25T12:00:00Z'), error: 'trunks.yaml:3:5: no' },
      trunks: [{ name: 'carrier', knownBy: ['address'], ...facts }],
    };
  }

  reload(): boolean {
    this.reloads++;
    return false;
  }

  blocked(): BlockedSource[] {
    const times = { since: new Date('2026-11-25T12:00:00Z'), until: new Date('2026-11-25T12:10:00Z') };
    return this.sources.map((source) => ({ source, reason: 'scanner', dropped: 12, ...times }));
  }

  unblock(source: string): boolean {
    const was = this.sources.includes(source);
    this.sources = this.sources.filter((one) => one !== source);
    return was;
  }
}
