import { MessageChannel } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LegEnd } from '../../src/call/legs/call-leg.ts';
import type { CallLine, KeyHandler, LineHooks } from '../../src/call/legs/call-line.ts';
import type { LegMedia } from '../../src/call/legs/leg-media.ts';
import { whoHearsWhom } from '../../src/call/people/bridge.ts';
import { type BotSeat, CallParties, MOST_PARTIES } from '../../src/call/people/parties.ts';
import { Party } from '../../src/call/people/party.ts';
import { Supervisor } from '../../src/call/supervision/supervisor.ts';
import { systemTimekeeper } from '../../src/core/alarm.ts';
import { silentLogger } from '../../src/core/log.ts';
import type { SpokenUtterance } from '../../src/dialogue/speaking/voice.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import { holdMusic } from '../../src/media/outbound/hold-music.ts';
import type { ListenMessage, MediaSession } from '../../src/media/ports.ts';
import type { RtpPacket } from '../../src/media/rtp/rtp-packet.ts';
import type { AsrResult, Recognizer, Synthesizer } from '../../src/speech/ports.ts';
import { RtpPeer } from '../media/rtp-peer.ts';
import { amplitudeOf, tone } from '../media/support.ts';

const NOBODY_SPEAKS: Synthesizer = {
  name: 'none',
  speak: () => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('nobody speaks')) }),
  }),
  warm: async () => undefined,
  health: async () => ({ ok: false }),
  close: async () => undefined,
};

/** A party's telephone without signalling: real audio, and a line that the test takes down. */
class WiredLine implements CallLine {
  readonly id = crypto.randomUUID();
  readonly leg = undefined;
  readonly peer: RtpPeer;
  readonly #down = new AbortController();
  #key: KeyHandler | undefined;
  #media: LegMedia | undefined;
  #version = 0;
  hungUp = 0;

  constructor(peer: RtpPeer) {
    this.peer = peer;
  }

  get signal(): AbortSignal {
    return this.#down.signal;
  }

  onDtmf(handler: KeyHandler): void {
    this.#key = handler;
  }

  async connect({ open }: LineHooks): Promise<Record<string, never>> {
    this.#media = await open({ localAddress: '127.0.0.1', mediaBindAddress: '127.0.0.1', sipCallId: 'party' });
    this.#media?.answer(this.#sdp('sendrecv'));
    if (this.#media) this.peer.callTo(this.#media.session.localPort);
    return {};
  }

  /** A re-INVITE: the far end holds (sendonly, inactive), or goes on (sendrecv). */
  reinvite(direction: 'sendonly' | 'inactive' | 'sendrecv'): void {
    this.#media!.renegotiate(this.#sdp(direction));
  }

  #sdp(direction: string): string {
    const lines = ['v=0', `o=- 1 ${++this.#version} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
    return [...lines, `m=audio ${this.peer.port} RTP/AVP 0`, `a=${direction}`, ''].join('\r\n');
  }

  press(keys: string): void {
    for (const key of keys) this.#key?.(key, undefined);
  }

  farEndHangsUp(): void {
    this.#down.abort({ by: 'caller', how: 'bye' } satisfies LegEnd);
  }

  async refuse(): Promise<void> {}

  async hangup(): Promise<void> {
    this.hungUp++;
    if (!this.signal.aborted) this.#down.abort({ by: 'us', how: 'bye' } satisfies LegEnd);
  }
}

/** Hears what the test tells it to have heard, whenever somebody has spoken. */
class ScriptedRecognizer implements Recognizer {
  readonly name = 'scripted';
  readonly local = true;
  words = '';
  open({ onResult }: Parameters<Recognizer['open']>[0]): ReturnType<Recognizer['open']> {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (message: ListenMessage) => {
      if (message.type !== 'segment-end') return;
      const result: AsrResult = { segment: message.segment, kind: 'final', text: this.words, confidence: 1, at: 0 };
      onResult(result);
    });
    return { audio: port2, hint: () => undefined, close: () => port1.close() };
  }
  health = async () => ({ ok: true });
  close = async () => undefined;
}

class Bot implements BotSeat {
  suspended = false;
  readonly did: string[] = [];
  suspend(): boolean {
    if (this.suspended) return false;
    this.did.push('suspend');
    this.suspended = true;
    return true;
  }
  resume(words = 'as usual'): void {
    this.did.push(`resume ${words}`);
    this.suspended = false;
  }
  overhear(who: string, text: string): void {
    this.did.push(`${who}: ${text}`);
  }
}

let engine: WorkerMediaEngine;
let parties: CallParties;
let caller: { peer: RtpPeer; session: MediaSession };
let bot: Bot;
let events: [string, Record<string, unknown>][];
let lines: SpokenUtterance[];
const recognizer = new ScriptedRecognizer();
const peers: RtpPeer[] = [];

beforeAll(async () => {
  engine = await WorkerMediaEngine.start({ log: silentLogger });
});
afterAll(() => engine.close());
beforeEach(async () => {
  events = [];
  lines = [];
  bot = new Bot();
  const peer = await phone();
  const session = await engine.open({ call: 'c', bindAddress: '127.0.0.1', onEvent: () => undefined });
  const place = { address: '127.0.0.1', port: peer.port, ptimeMs: 20, send: true, receive: true };
  session.connect({ ...place, codec: 'PCMU', payloadType: 0 });
  peer.callTo(session.localPort);
  caller = { peer, session };
  parties = partiesOf(session);
});
afterEach(async () => {
  await parties.close();
  await caller.session.close();
  for (const peer of peers.splice(0)) peer.close();
});

function partiesOf(session: MediaSession): CallParties {
  return new CallParties({
    trace: () => undefined,
    caller: session,
    bot,
    scribe: {
      event: (type, data = {}) => events.push([type, data]),
      utterance: (utterance) => lines.push(utterance),
    },
    media: engine,
    dialler: undefined,
    recognizer,
    hints: () => ({ key: 'k', jsgf: '', secret: false }),
    recall: { keys: '*9', words: 'Computer, take over' },
    time: systemTimekeeper,
    log: silentLogger,
  });
}

async function phone(): Promise<RtpPeer> {
  const peer = await RtpPeer.open();
  peers.push(peer);
  return peer;
}

async function join(role: 'agent' | 'supervisor', name: string = role): Promise<{ line: WiredLine; party: Party }> {
  const line = new WiredLine(await phone());
  const party = new Party({ role, name, line, media: engine, beside: caller.session, log: silentLogger });
  parties.add(party);
  await party.connect(new AbortController().signal);
  return { line, party };
}

const told = () => events.map(([type]) => type);

/** `speaker` makes a sound; is it heard by `listener`? */
async function hears(listener: RtpPeer, speaker: RtpPeer): Promise<boolean> {
  await speaker.speak(tone(3200, 500));
  return amplitudeOf(listener.heard().subarray(-1600), 500) > 0.05;
}

describe('a caller who is handed to an agent', () => {
  test('waits with music, talks to the agent who was briefed unheard, and has the bot back when the agent hangs up', async () => {
    parties.hold(holdMusic());
    expect(bot.did).toEqual(['suspend']);
    const { line, party } = await join('agent', 'Anna');
    expect(await hears(line.peer, caller.peer)).toBe(false);
    expect(caller.peer.loud().length).toBeGreaterThan(0);
    parties.connect(party);
    expect(bot.did).toEqual(['suspend']);
    expect([await hears(line.peer, caller.peer), await hears(caller.peer, line.peer)]).toEqual([true, true]);
    line.farEndHangsUp();
    expect(bot.did).toEqual(['suspend', 'resume as usual']);
    expect(told()).toEqual(['bot-suspended', 'agent-connected', 'agent-left', 'bot-resumed']);
    expect(events[2]![1]).toMatchObject({ name: 'Anna', by: 'caller', how: 'bye' });
    expect(parties.size).toBe(1);
  });

  test('waits without music while a supervisor speaks to them, and with music again afterwards', async () => {
    const { line, party } = await join('supervisor');
    parties.hold(tone(8000, 1700));
    parties.supervise(party, 'take-over');
    expect(await hears(caller.peer, line.peer)).toBe(true);
    expect(amplitudeOf(caller.peer.heard().subarray(-1600), 1700)).toBeLessThan(0.01);
    parties.supervise(party, 'listen');
    await expect.poll(() => amplitudeOf(caller.peer.heard().subarray(-1600), 1700)).toBeGreaterThan(0.2);
    expect(bot.did).toEqual(['suspend']);
  });

  test('and is put on hold there hears music: theirs where it comes, ours where nothing does', async () => {
    const { line, party } = await join('agent', 'Anna');
    parties.connect(party);
    expect(await hears(caller.peer, line.peer)).toBe(true);
    for (const direction of ['sendonly', 'inactive'] as const) {
      const before = caller.peer.loud().length;
      line.reinvite(direction);
      await expect.poll(() => caller.peer.loud().length).toBeGreaterThan(before + 20);
      line.reinvite('sendrecv');
      expect(await hears(caller.peer, line.peer)).toBe(true);
      expect([party.held, await hears(line.peer, caller.peer)]).toEqual([false, true]);
    }
    // Their exchange has music of its own: ours is over, or does not begin.
    line.reinvite('sendonly');
    await line.peer.speak(tone(24_000, 500));
    expect(amplitudeOf(caller.peer.heard().subarray(-4000), 500)).toBeGreaterThan(0.05);
    const held = ['agent-held', 'agent-resumed'];
    expect(told()).toEqual(['agent-connected', 'bot-suspended', ...held, ...held, 'agent-held']);
    expect(bot.did).toEqual(['suspend']);
  });

  test('and is on hold there for too long is with the bot again', async () => {
    const { line, party } = await join('agent', 'Anna');
    const left: string[] = [];
    const onLeft = (how: string) => {
      left.push(how);
      return 'Here I am again.';
    };
    parties.connect(party, onLeft, 500);
    line.reinvite('sendonly');
    line.reinvite('sendrecv');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(left).toEqual([]);
    line.reinvite('sendonly');
    await expect.poll(() => bot.did).toEqual(['suspend', 'resume Here I am again.']);
    expect([left, line.hungUp]).toEqual([['recalled'], 1]);
    const [, data] = events.find(([type]) => type === 'bot-recalled')!;
    expect(data).toMatchObject({ name: 'Anna', how: 'hold' });
  });

  test('hears why when nobody came, and is not left in the music', async () => {
    parties.hold(holdMusic());
    const { party } = await join('agent');
    await party.hangup();
    expect(bot.suspended).toBe(true);
    parties.unhold('Nobody is free.');
    expect(bot.did).toEqual(['suspend', 'resume Nobody is free.']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = caller.peer.loud().length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(caller.peer.loud().length).toBe(before);
  });

  test('hangs up: the agent, one who is being briefed and the supervisor are all hung up', async () => {
    const agent = await join('agent');
    const briefed = await join('agent');
    const supervisor = await join('supervisor');
    parties.connect(agent.party);
    parties.supervise(supervisor.party, 'listen');
    await parties.close();
    for (const { line, party } of [agent, briefed, supervisor]) {
      expect(line.hungUp).toBe(1);
      expect(party.signal.aborted).toBe(true);
    }
    expect(bot.did).toEqual(['suspend']);
    await expect(join('agent')).rejects.toMatchObject({ code: 'call-over' });
  });

  test('has no more than four in the call', async () => {
    for (let i = 1; i < MOST_PARTIES; i++) await join('agent');
    await expect(join('agent')).rejects.toMatchObject({ code: 'call-full', sipStatus: 503 });
    expect(parties.size).toBe(MOST_PARTIES);
  });

  test('whose call ends with the agent hears no bot any more', async () => {
    const { line, party } = await join('agent');
    parties.connect(party, () => false);
    line.farEndHangsUp();
    expect(bot.did).toEqual(['suspend']);
  });
});

describe('an agent', () => {
  test('is taken down, and gives the caller back by words', async () => {
    const { line, party } = await join('agent');
    parties.connect(party);
    recognizer.words = 'i will look that up';
    await line.peer.speak(Int16Array.from([...tone(4000, 300), ...new Int16Array(8000)]));
    await expect.poll(() => lines.map(({ text }) => text)).toEqual(['i will look that up']);
    expect(lines[0]).toMatchObject({ speaker: 'agent', source: 'overheard', confidence: 1 });
    recognizer.words = 'so computer take over please';
    await line.peer.speak(Int16Array.from([...tone(4000, 300), ...new Int16Array(8000)]));
    await expect.poll(() => bot.suspended).toBe(false);
    expect(bot.did.slice(0, 3)).toEqual([
      'suspend',
      'agent: i will look that up',
      'agent: so computer take over please',
    ]);
    expect(line.hungUp).toBe(1);
    expect(told()).toContain('bot-recalled');
  });

  test('gives the caller back by keys, and not by others', async () => {
    const { line, party } = await join('agent');
    parties.connect(party, (how) => `back after ${how}`);
    line.press('9*19');
    expect(bot.suspended).toBe(true);
    line.press('*9');
    expect(bot.did).toEqual(['suspend', 'resume back after recalled']);
    expect(told().filter((type) => type === 'bot-resumed')).toHaveLength(1);
    expect(line.hungUp).toBe(1);
  });
});

describe('keys between the caller and an agent', () => {
  const EVENTS = {
    keysAs: { payloadType: 101, clockRate: 8000 },
    telephoneEvents: [{ payloadType: 101, clockRate: 8000 }],
  };
  const events = (peer: RtpPeer) =>
    peer.received.map(({ packet }) => packet).filter(({ payloadType }) => payloadType === 101);
  const keyOf = (packets: RtpPacket[]) =>
    packets.map(({ data, payloadOffset: at }) => ({
      event: data[at]!,
      end: data[at + 1]! >= 0x80,
      units: data[at + 2]! * 256 + data[at + 3]!,
    }));

  test('go as events where the leg takes them, in the place of the voice, in one stream', async () => {
    const place = { address: '127.0.0.1', port: caller.peer.port, ptimeMs: 20, send: true, receive: true };
    caller.session.connect({ ...place, codec: 'PCMU', payloadType: 0, ...EVENTS });
    const { line, party } = await join('agent');
    line.press('1');
    parties.connect(party);
    line.press('7*8*9');
    await expect.poll(() => new Set(events(caller.peer).map(({ timestamp }) => timestamp)).size).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const packets = events(caller.peer);
    const starts = packets.filter(({ marker }) => marker).map(({ timestamp }) => timestamp);
    expect(starts).toHaveLength(3);
    const keys = starts.map((start) => keyOf(packets.filter(({ timestamp }) => timestamp === start)));
    expect(keys.map((key) => key[0]!.event)).toEqual([7, 10, 8]);
    for (const key of keys) {
      expect(key.filter(({ end }) => end).map(({ units }) => units)).toEqual([1280, 1280, 1280]);
      expect(key.filter(({ end }) => !end).map(({ units }) => units)).toEqual([160, 320, 480, 640, 800, 960, 1120]);
    }
    const all = caller.peer.received.map(({ packet }) => packet.sequence);
    for (let i = 1; i < all.length; i++) expect((all[i]! - all[i - 1]!) & 0xffff).toBe(1);
  });

  test('of the caller reach the agents, but not the one that was down before the talk', async () => {
    const { line, party } = await join('agent');
    const place = { address: '127.0.0.1', port: line.peer.port, ptimeMs: 20, send: true, receive: true };
    party.session.connect({ ...place, codec: 'PCMU', payloadType: 0, ...EVENTS });
    parties.callerKeyDown('0');
    parties.connect(party);
    parties.callerKeyUp('0', 100);
    parties.callerKeyDown('5');
    parties.callerKeyUp('5', 60);
    await expect.poll(() => keyOf(events(line.peer)).filter(({ end }) => end)).toHaveLength(3);
    expect(keyOf(events(line.peer)).at(-1)).toEqual({ event: 5, end: true, units: 480 });
  });
});

describe('a supervisor', () => {
  test('takes over, gives back, and leaves: the bot is silent exactly meanwhile', async () => {
    const { line, party } = await join('supervisor');
    parties.supervise(party, 'listen');
    expect([await hears(line.peer, caller.peer), await hears(caller.peer, line.peer)]).toEqual([true, false]);
    parties.supervise(party, 'take-over');
    expect([bot.suspended, await hears(caller.peer, line.peer)]).toEqual([true, true]);
    parties.supervise(party, 'listen');
    expect([bot.suspended, await hears(caller.peer, line.peer)]).toEqual([false, false]);
    parties.supervise(party, 'take-over');
    line.farEndHangsUp();
    expect(bot.suspended).toBe(false);
    expect(told().filter((type) => type.startsWith('supervision'))).toEqual([
      'supervision-started',
      'supervision-changed',
      'supervision-changed',
      'supervision-changed',
      'supervision-ended',
    ]);
  });

  test('whispers to the agent only while there is one; who takes over with an agent there is told to join', async () => {
    const supervisor = await join('supervisor');
    expect(() => parties.supervise(supervisor.party, 'whisper')).toThrow('no agent');
    const agent = await join('agent');
    parties.connect(agent.party);
    expect(() => parties.supervise(supervisor.party, 'take-over')).toThrow('join');
    parties.supervise(supervisor.party, 'whisper');
    expect([
      await hears(agent.line.peer, supervisor.line.peer),
      await hears(caller.peer, supervisor.line.peer),
    ]).toEqual([true, false]);
    agent.line.farEndHangsUp();
    expect(parties.supervisors).toMatchObject([{ mode: 'listen' }]);
    expect(bot.suspended).toBe(false);
  });

  test('who has taken over is joined by the agent, and nobody loses the caller when either leaves', async () => {
    const supervisor = await join('supervisor');
    const agent = await join('agent');
    parties.supervise(supervisor.party, 'take-over');
    parties.connect(agent.party);
    expect(parties.supervisors).toMatchObject([{ mode: 'join' }]);
    parties.release(supervisor.party);
    expect([bot.suspended, supervisor.party.up, parties.size]).toEqual([true, true, 2]);
    agent.line.farEndHangsUp();
    expect(bot.suspended).toBe(false);
    await supervisor.party.hangup();
  });
});

test('who hears whom is one table', () => {
  const table = whoHearsWhom({
    caller: 'caller',
    agents: ['agent'],
    supervisors: [
      { session: 'listening', mode: 'whisper' },
      { session: 'joined', mode: 'join' },
    ],
  });
  const inWords = [...table].map(([listener, sources]) => [listener, sources.map(({ of, side }) => `${of} ${side}`)]);
  expect(Object.fromEntries(inWords)).toEqual({
    caller: ['agent spoken', 'joined spoken'],
    agent: ['caller spoken', 'joined spoken', 'listening spoken'],
    listening: ['caller spoken', 'agent spoken', 'joined spoken', 'caller heard'],
    joined: ['caller spoken', 'agent spoken', 'caller heard'],
  });
});

test('a supervisor who waits is brought into one call, though two ask for them at once', async () => {
  const other = await engine.open({ call: 'd', bindAddress: '127.0.0.1', onEvent: () => undefined });
  const calls = new Map([
    ['one', parties],
    ['two', partiesOf(other)],
  ]);
  try {
    const line = new WiredLine(await phone());
    const party = new Party({ role: 'supervisor', name: 'Anna', line, media: engine, log: silentLogger });
    await party.connect(new AbortController().signal);
    const supervisor = new Supervisor({
      party,
      dialledIn: true,
      calls: { partiesOf: (id) => calls.get(id), sessionOf: () => undefined, live: () => [] },
      media: engine,
      synthesizer: NOBODY_SPEAKS,
      log: silentLogger,
    });
    supervisor.wait();
    const asked = await Promise.allSettled([supervisor.attach('one', 'listen'), supervisor.attach('two', 'listen')]);
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect([...calls.values()].map(({ size }) => size)).toEqual([2, 1]);
    expect(supervisor.view).toMatchObject({ sessionId: 'one', state: 'active' });
    await expect(supervisor.attach('two', 'listen')).rejects.toMatchObject({ sipStatus: 409 });
    supervisor.leave();
    await supervisor.attach('two', 'join');
    expect([...calls.values()].map(({ size }) => size)).toEqual([1, 2]);
    await party.hangup();
  } finally {
    await calls.get('two')?.close();
    await other.close();
  }
});
