import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ms, monotonicNow } from '../../src/core/clock.ts';
import { NOT_TRANSCRIBED, UNINTELLIGIBLE } from '../../src/dialogue/caller-line.ts';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { tone } from '../../tests/media/support.ts';
import { AnsweringPhone } from '../../tests/support/phone/answering-phone.ts';
import { Phone } from '../../tests/support/phone/phone.ts';
import type { VoiceBox } from '../../tests/support/phone/voice.ts';
import { browserSupervisor } from './browser-suite.ts';
import type { BenchConnector } from './connector.ts';
import { Crowd } from './crowd.ts';
import { cpuPerCall } from './process-stats.ts';
import type { Measure } from './report.ts';
import type { ConnectorSuite } from './suite.ts';
import { Desk, type Supervision, VOICE_HZ, Witness } from './supervision.ts';

/** Calls with more than two ends: supervisors, and people bridged with people. */

const CODE = '135791';
const ENVIRONMENT = {
  SIP_CONFIG: join(import.meta.dirname, 'sip-config'),
  BENCH_SUPERVISOR_CODE: CODE,
  MAX_SUPERVISORS: '100',
};
/** As people are waited for behind a call, and a moment. */
const LINGER_MS: Ms = 62_000;
/** With what comes before it the suite is over within four minutes, also where words are missing still. */
const LISTENED_LIMIT_MS: Ms = 120_000;
const TELL_MS: Ms = 15_000;
const LONG_ANSWER = 'what can you do';

interface TakeOvers {
  listenMs: Ms[];
  silentMs: Ms[];
  waitingMs: Ms[];
  dialledMs: Ms[];
  missed: number;
}

/** One caller, one supervisor who waits on the line and one who is dialled, over and over. */
async function takeOvers(
  connector: BenchConnector,
  voiceBox: VoiceBox,
  rounds: number,
  progress: (text: string) => void,
): Promise<TakeOvers> {
  const desk = new Desk(connector);
  const figures: TakeOvers = { listenMs: [], silentMs: [], waitingMs: [], dialledMs: [], missed: 0 };
  const witness = new Witness();
  const caller = await Phone.open({ voiceBox, voice: 'rms', onAudio: witness.take });
  const supervisor = await Phone.open({ voiceBox, from: '+15550199' });
  const dialled = await AnsweringPhone.open({ greeting: { pcm: tone(16_000, VOICE_HZ, 0.2), afterMs: 0 } });
  try {
    await caller.prepare([LONG_ANSWER]);
    await caller.dial(connector.uri);
    await caller.waitForReply();
    const [sessionId] = await desk.sessions();
    await supervisor.dial(`sip:9000@127.0.0.1:${connector.sipPort}`);
    await supervisor.waitForReply();
    await supervisor.press(`${CODE}#`, { expectReply: false });
    await supervisor.waitForReply();
    const [{ supervisionId }] = (await desk.supervisors()) as [Supervision];
    await desk.ask('POST', `/calls/${sessionId}/supervise`, { mode: 'listen', supervisionId });
    const path = `/calls/${sessionId}/supervise/${supervisionId}`;
    for (let round = 1; round <= rounds; round++) {
      progress(`take-over ${round} of ${rounds}`);
      await supervisor.waitForSilence(700);
      const turn = await caller.say(LONG_ANSWER);
      const spell = supervisor.line.ear.spells.find(({ startAt }) => startAt > turn.startedAt!);
      if (spell) figures.listenMs.push(spell.startAt - turn.startedAt!);
      await caller.waitForSpeech(8000);
      await caller.pause(700);
      // The supervisor says nothing yet: what is heard behind the click is the bot.
      let click = monotonicNow();
      await desk.ask('PATCH', path, { mode: 'take-over' });
      await caller.pause(800);
      figures.silentMs.push(witness.silentAfter(click));
      await desk.ask('PATCH', path, { mode: 'listen' });
      await caller.waitForSpeech(8000);
      await caller.pause(400);
      const speech = supervisor.say(tone(24_000, VOICE_HZ, 0.2), { expectReply: false });
      await caller.pause(300);
      click = monotonicNow();
      await desk.ask('PATCH', path, { mode: 'take-over' });
      note(figures, figures.waitingMs, await witness.supervisorAfter(click));
      await speech;
      await desk.ask('PATCH', path, { mode: 'listen' });
      await caller.waitForReply({ timeoutMs: 8000 });
    }
    for (let round = 1; round <= Math.ceil(rounds / 2); round++) {
      progress(`dialled ${round}`);
      const click = monotonicNow();
      const asked = { mode: 'take-over', to: dialled.uri };
      const { supervisionId } = await desk.ask<Supervision>('POST', `/calls/${sessionId}/supervise`, asked);
      note(figures, figures.dialledMs, await witness.supervisorAfter(click));
      await desk.ask('DELETE', `/calls/${sessionId}/supervise/${supervisionId}`);
      await caller.waitForReply({ timeoutMs: 8000 });
    }
  } finally {
    await caller.close();
    await supervisor.close();
    await dialled.close();
  }
  return figures;
}

function note(figures: TakeOvers, values: Ms[], value: Ms | undefined): void {
  if (value === undefined) figures.missed++;
  else values.push(value);
}

/** Many take-overs at once, in many calls: every leg must come about once, and be gone in the end. */
async function crowdedTakeOvers(connector: BenchConnector, calls: number, rounds: number): Promise<number[]> {
  const desk = new Desk(connector);
  const crowd = await Crowd.start({ sipPort: connector.sipPort });
  const office = await AnsweringPhone.open();
  try {
    await crowd.order({ do: 'bring up', calls, perSecond: 20 });
    const sessions = await desk.sessions();
    let lost = 0;
    for (let round = 0; round < rounds; round++) {
      const ids = await Promise.all(
        sessions.map(async (sessionId) => {
          const asked = { mode: 'take-over', to: office.uri };
          const { supervisionId } = await desk.ask<Supervision>('POST', `/calls/${sessionId}/supervise`, asked);
          return { sessionId, supervisionId };
        }),
      );
      const all = () => desk.supervisors().then((now) => now.filter(({ state }) => state === 'active').length);
      lost += calls - (await within(10_000, all, (active) => active === calls));
      // Half of them hang up, half are sent away.
      await Promise.all(
        ids.map(async ({ sessionId, supervisionId }, i) => {
          if (i % 2 === 0)
            await desk.ask('DELETE', `/calls/${sessionId}/supervise/${supervisionId}`).catch(() => undefined);
        }),
      );
      await Promise.all(
        office.calls.filter(({ end }) => end === undefined).map(({ signalling }) => signalling.hangup()),
      );
      await within(
        10_000,
        async () => (await desk.supervisors()).length,
        (left) => left === 0,
      );
    }
    const wanted = sessions.length * rounds;
    const left = office.calls.filter(({ end }) => end === undefined).length + (await desk.supervisors()).length;
    const { over, up } = await crowd.order({ do: 'figures' });
    return [lost, Math.abs(office.calls.length - wanted), left, over + (calls - up)];
  } finally {
    await crowd.stop();
    await office.close();
  }
}

async function within<T>(ms: Ms, look: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (const until = monotonicNow() + ms; ; await sleep(50)) {
    const value = await look();
    if (good(value) || monotonicNow() > until) return value;
  }
}

const supervise: ConnectorSuite = {
  name: 'supervise',
  what: 'supervisors listen, take over and give back; then 200 take-overs in 20 calls at once',
  environment: ENVIRONMENT,
  limitMs: 8 * 60_000,
  async run({ connector, voiceBox, turns, calls, progress }) {
    const suite = 'supervise';
    const f = await takeOvers(connector, voiceBox, turns, progress);
    progress('many at once');
    const wrong = await crowdedTakeOvers(connector, calls ?? 20, 10);
    return [
      { suite, name: 'listen-in delay', unit: 'ms', values: f.listenMs, target: '<= 400', limits: { max: 400 } },
      { suite, name: 'click to bot silent', unit: 'ms', values: f.silentMs, target: '<= 200', limits: { max: 200 } },
      {
        suite,
        name: 'click to caller hears, on the line',
        unit: 'ms',
        values: f.waitingMs,
        missed: f.missed,
        target: 'p95 <= 1500',
        limits: { p95: 1500 },
        allowedMissed: 0,
      },
      {
        suite,
        name: 'click to caller hears, dialled',
        unit: 'ms',
        values: f.dialledMs,
        target: 'p95 <= 1500',
        limits: { p95: 1500 },
        note: 'the supervisor’s telephone answers at once',
      },
      {
        suite,
        name: 'legs lost, doubled, left; calls lost',
        unit: 'count',
        values: wrong,
        target: '0',
        limits: { max: 0 },
        note: `${(calls ?? 20) * 10} take-overs: ${wrong.join(', ')}`,
      },
    ];
  },
};

/** Speech that goes on: a sentence, a pause, and again. */
async function talk(voiceBox: VoiceBox, words: string, seconds: number): Promise<Int16Array> {
  const sentence = await voiceBox.speak(words, 'rms');
  const pcm = new Int16Array(seconds * 8000);
  for (let at = 0; at + sentence.length < pcm.length; at += sentence.length + 24_000) pcm.set(sentence, at);
  return pcm;
}

interface TakenDown {
  speaker: string;
  text: string;
  source: string;
}

/** The calls are over: waits for what is still to be taken down, then from the recordings, until nothing more comes. */
async function listenedTo(
  connector: BenchConnector,
  lines: () => Promise<TakenDown[]>,
  progress: (text: string) => void,
) {
  const from = monotonicNow();
  let toldAt = from;
  const figures = async () => {
    const metric = await connector.metrics();
    return (name: string) => metric(name) ?? 0;
  };
  // Behind its call a sentence is waited for as long as that, and then looked for in the recording.
  let quietSince = Number.POSITIVE_INFINITY;
  let [all, seconds, before] = [await lines(), 0, ''];
  while (monotonicNow() - from < LISTENED_LIMIT_MS) {
    await sleep(3000);
    const now = monotonicNow();
    // On a busy machine the archive may be away for a moment.
    all = await lines().catch(() => all);
    const state = all.map(({ text }) => text).join();
    const read = await figures();
    const waits = read('voice_transcripts_waiting_calls') + read('voice_asr_backlog_seconds') > 0;
    if (state !== before) seconds = (now - from) / 1000;
    quietSince = waits || state !== before ? now : Math.min(quietSince, now);
    before = state;
    if (now - toldAt > TELL_MS) {
      toldAt = now;
      const ready = all.filter(({ source }) => source === 'recording').length;
      const calls = read('voice_transcripts_waiting_calls');
      progress(
        `${Math.round((now - from) / 1000)} s after the calls: ${ready} lines from recordings, ${calls} calls wait`,
      );
    }
    if (now - from > LINGER_MS && now - quietSince > 10_000) break;
  }
  const read = await figures();
  return {
    seconds,
    lines: all.length,
    without: all.filter(({ text }) => text === NOT_TRANSCRIBED).length,
    fromRecordings: all.filter(({ source }) => source === 'recording').length,
    waiting: read('voice_transcripts_waiting_calls'),
    busyPercent: (100 * read('voice_asr_busy_seconds_total')) / read('voice_asr_audio_seconds_total'),
  };
}

const bridges: ConnectorSuite = {
  name: 'bridges',
  what: '50 callers bridged with 50 agents, both sides speaking and taken down, now or from the recordings',
  environment: ENVIRONMENT,
  limitMs: 8 * 60_000,
  async run({ connector, voiceBox, calls, progress, problems }) {
    const suite = 'bridges';
    const count = calls ?? 50;
    const desk = new Desk(connector);
    const callerSpeech = await talk(voiceBox, 'where is my credit card', 5);
    // No sentence of the grammar: as most of what people say to each other, it wants the model.
    const agentSpeech = await talk(voiceBox, 'i will look into that for you right now', 90);
    const office = await AnsweringPhone.open();
    const speech = Buffer.from(Uint8Array.from(callerSpeech, (s) => PCMU.fromLinear[s & 0xffff]!)).toString('base64');
    const crowd = await Crowd.start({ sipPort: connector.sipPort, speech });
    try {
      const { up } = await crowd.order({ do: 'bring up', calls: count, perSecond: 10 });
      progress(`${up} callers are up`);
      const sessions = await desk.sessions();
      for (const sessionId of sessions) {
        await desk.ask('POST', `/calls/${sessionId}/transfer`, { to: office.uri, how: 'bridge' }).catch((error) => {
          problems.push(`bridges: ${String(error)}`);
        });
      }
      // Each is briefed, takes the call by key, and speaks.
      const greeted = new Set<unknown>();
      const take = async () => {
        for (const call of office.calls) {
          if (greeted.has(call) || call.line.ear.spells.length === 0) continue;
          greeted.add(call);
          call.line.mouth.press('1');
          call.line.mouth.say(agentSpeech);
        }
        return greeted.size;
      };
      await within(30_000, take, (taken) => taken >= sessions.length);
      await sleep(5000);
      progress(`${office.calls.length} are bridged`);
      await crowd.order({ do: 'reset' });
      const lines = async () => {
        const all = await Promise.all(
          sessions.map((id) => desk.ask<{ utterances: TakenDown[] }>('GET', `/calls/${id}`)),
        );
        return all.flatMap(({ utterances }) => utterances).filter(({ speaker }) => speaker !== 'assistant');
      };
      const before = (await lines()).length;
      const from = monotonicNow();
      const percents = await cpuPerCall(() => connector.cpuSeconds(), { calls: count, rounds: 5, roundMs: 4000 });
      const seconds = (monotonicNow() - from) / 1000;
      const figures = await crowd.order({ do: 'figures' });
      const spoken = (await lines()).slice(before);
      const understood = (speaker: string) =>
        spoken.filter((line) => line.speaker === speaker && ![UNINTELLIGIBLE, NOT_TRANSCRIBED].includes(line.text))
          .length;
      const lost = spoken.filter((line) => line.text === NOT_TRANSCRIBED).length;
      const live = office.calls.filter(({ end }) => end === undefined).length;
      await crowd.order({ do: 'hang up' });
      progress('all have hung up');
      const later = await listenedTo(connector, lines, progress);
      return [
        {
          suite,
          name: `CPU per bridged call, ${live} bridged`,
          unit: '%',
          values: percents,
          note: 'the whole process: both legs’ media, recording, VAD and recognition of both sides',
        },
        {
          suite,
          name: 'between packets, p99',
          unit: 'ms',
          values: [figures.p99],
          note: `the crowd itself was late by up to ${figures.ownLatenessMs.toFixed(1)} ms`,
        },
        { suite, name: 'sequence gaps', unit: 'count', values: [figures.gaps], target: '0', limits: { max: 0 } },
        {
          suite,
          name: 'bridges not up',
          unit: 'count',
          values: [count - live],
          target: '0',
          limits: { max: 0 },
        },
        {
          suite,
          name: 'lines taken down',
          unit: 'count',
          values: [spoken.length],
          note: `in ${seconds.toFixed(0)} s: understood of callers ${understood('caller')}, of agents ${understood('agent')}; a line is due about every 5 s of each side`,
        },
        { suite, name: 'lines there was no time for while they talked', unit: 'count', values: [lost] },
        {
          suite,
          name: 'lines without words in the end',
          unit: 'count',
          values: [later.without],
          target: '0',
          limits: { max: 0 },
          note: `of ${later.lines}, ${later.fromRecordings} of them from the recordings; decoding took ${later.busyPercent.toFixed(2)} % of the speech`,
        },
        {
          suite,
          name: 'from the end of the calls to the last words',
          unit: 'ms',
          values: [later.seconds * 1000],
          note: later.waiting > 0 ? 'so far: the suite has an end, the words have not come yet' : 'all are there',
        },
        {
          suite,
          name: 'calls whose words have not all come',
          unit: 'count',
          values: [later.waiting],
          target: '0',
          limits: { max: 0 },
          note: `${LISTENED_LIMIT_MS / 1000} s after the calls at most`,
        },
      ] satisfies Measure[];
    } finally {
      await crowd.stop();
      await office.close();
    }
  },
};

export const PARTY_SUITES: readonly ConnectorSuite[] = [supervise, browserSupervisor, bridges];
