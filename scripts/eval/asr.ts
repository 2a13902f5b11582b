import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadActions } from '../../src/banking/load-actions.ts';
import { actionsOf } from '../../src/banking/view.ts';
import { hintsFrom } from '../../src/call/bot/hints.ts';
import { RequestReader } from '../../src/dialogue/requests/request-reader.ts';
import { createVadEngine } from '../../src/speech/silero/vad-engine.ts';
import { CONDITIONS, type Condition } from './asr/conditions.ts';
import { Hearing } from './asr/hearing.ts';
import { type CallOutcome, callTable, playCall } from './asr/in-calls.ts';
import { doubtTable } from './asr/in-doubt.ts';
import { overTheLine } from './asr/line.ts';
import { judged, type Outcome, tables } from './asr/outcomes.ts';
import { type OverBotOutcome, overBotTable, overBotTrials, overBotVoices, playOverBot } from './asr/over-bot.ts';
import { type PauseOutcome, POLICIES, pauseTable, pausingCallers, playPauses } from './asr/pauses.ts';
import { HUMAN, meaningFor, type Trial, trialsFor, voicesFor } from './asr/trials.ts';
import { roomNoise } from './audio/room.ts';
import { findSources, Studio } from './audio/studio.ts';
import type { Caller } from './corpus/types.ts';

const HELP = `node_modules/.bin/node scripts/eval/asr.ts [options]     the recogniser by itself: what it understands of whom

  --part N        every N-th trial of each voice (default 6), rotating over voices and conditions; 1 takes an hour
  --voice TEXT    only voices whose name contains this
  --only TEXT     only conditions whose name contains this
  --kind TEXT     only kinds of trials whose name contains this
  --calls         in calls: with the room's noise between the lines, as the connector's VAD and endpointing cut them
  --pauses        pauses inside sentences and numbers, and whom which endpoint cuts off; --part as above, of six rounds;
                  --only takes one of adaptive, fixed 300 ms, fixed 700 ms; --kind one of open, number, pin
  --over-bot      short words, hums, coughs and doors over a bot that tells something: does it stop, does it go on?
                  every N-th with --part; --kind one of interruption, listening, sound
  --cache FOLDER  where audio is kept (default data/eval-cache)
  --wrong         lists what went wrong
  --out FILE      every trial as JSON
`;

const ACTIONS = fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url));

const TELLING =
  'here they are, fifty four dollars and twenty cents at the grocery store on the third of march, twelve dollars at a cafe on the second of march, nine hundred dollars rent on the first of march';

interface Options {
  readonly part: number;
  readonly voice: string;
  readonly only: string;
  readonly kind: string;
  readonly calls: boolean;
  readonly cache: string;
}

interface Tried {
  readonly outcomes: readonly Outcome[];
  readonly calls: readonly CallOutcome[];
}

async function tryAll({ part, voice, only, kind, cache, calls: inCalls }: Options): Promise<Tried> {
  const actions = actionsOf(loadActions(ACTIONS));
  const reader = new RequestReader(actions);
  const hintsFor = hintsFrom(actions);
  const studio = new Studio(cache);
  const hearing = await Hearing.start();
  const sources = await findSources();
  const callers = [...voicesFor(sources), ...(sources.human ? [HUMAN] : [])];
  const conditions = CONDITIONS.filter(({ name }) => name.includes(only));
  const vad = inCalls ? await createVadEngine({}) : undefined;
  const outcomes: Outcome[] = [];
  const calls: CallOutcome[] = [];
  try {
    for (const [c, condition] of conditions.entries()) {
      for (const [v, caller] of callers.entries()) {
        if (!nameOf(caller).includes(voice)) continue;
        // there is one human voice
        const stride = caller === HUMAN ? Math.max(1, Math.round(part / 4)) : part;
        const trials = [...trialsFor(caller).entries()].filter(
          ([t, trial]) => (t + v + c) % stride === 0 && trial.kind.includes(kind),
        );
        if (vad) {
          const lines = [];
          for (const [, trial] of trials) lines.push({ trial, pcm: await speechOf(trial, caller, studio) });
          const seed = 1 + 100 * v;
          const room = { ...condition, noise: await roomNoise(condition.noise, caller, seed, studio) };
          const options = { hearing, vad, hintsFor, actions };
          const call = await playCall(lines, room, nameOf(caller), seed, options, (trial, text) =>
            meaningFor(trial.awaited, reader, text),
          );
          calls.push(call);
          outcomes.push(...call.outcomes);
          continue;
        }
        const ear = hearing.call();
        for (const [t, trial] of trials) {
          const seed = 1 + t + 100 * v;
          const pcm = await segmentOf(trial, caller, condition, seed, studio);
          const heard = ear.hear(pcm, hintsFor(trial.awaited));
          const meaning = (text: string) => meaningFor(trial.awaited, reader, text);
          outcomes.push(judged(trial, nameOf(caller), condition.name, heard, pcm.length / 8, meaning));
        }
        ear.close();
      }
    }
  } finally {
    await studio.close();
    await vad?.close();
  }
  return { outcomes, calls };
}

async function tryPauses({ part, voice, only, kind, cache }: Options): Promise<PauseOutcome[]> {
  const actions = actionsOf(loadActions(ACTIONS));
  const hintsFor = hintsFrom(actions);
  const studio = new Studio(cache);
  const hearing = await Hearing.start();
  const vad = await createVadEngine({});
  const policies = POLICIES.filter(({ name }) => name.includes(only));
  const options = { hearing, vad, hintsFor, actions, studio, policies, site: kind, rounds: Math.ceil(6 / part) };
  try {
    const outcomes: PauseOutcome[] = [];
    for (const caller of pausingCallers(await findSources())) {
      const name = nameOf(caller);
      if (name.includes(voice)) outcomes.push(...(await playPauses(caller, name, options)));
    }
    return outcomes;
  } finally {
    await studio.close();
    await vad.close();
  }
}

async function tryOverBot({ part, voice, only, kind, cache }: Options): Promise<OverBotOutcome[]> {
  const actions = actionsOf(loadActions(ACTIONS));
  const studio = new Studio(cache);
  const vad = await createVadEngine({});
  // the bot's voice; it goes on until the call is over
  const { pcm: telling } = await studio.speech({ engine: 'flite', voice: 'slt', rate: 1 }, [TELLING]);
  const options = { hearing: await Hearing.start(), vad, hintsFor: hintsFrom(actions), actions, studio, telling };
  const callers = overBotVoices(await findSources());
  const outcomes: OverBotOutcome[] = [];
  try {
    for (const [c, condition] of CONDITIONS.entries()) {
      if (!condition.name.includes(only)) continue;
      for (const [v, caller] of callers.entries()) {
        if (!nameOf(caller).includes(voice)) continue;
        for (const [t, trial] of overBotTrials(v === 0).entries()) {
          if ((t + v + c) % part !== 0 || !trial.kind.includes(kind)) continue;
          outcomes.push(await playOverBot(trial, caller, nameOf(caller), condition, 1 + t + 100 * v, options));
        }
      }
    }
    return outcomes;
  } finally {
    await studio.close();
    await vad.close();
  }
}

async function segmentOf(
  trial: Trial,
  caller: Caller,
  { noise, lossPercent = 0 }: Condition,
  seed: number,
  studio: Studio,
): Promise<Int16Array> {
  const speech = await speechOf(trial, caller, studio);
  return overTheLine(speech, await roomNoise(noise, caller, seed, studio), lossPercent, seed);
}

async function speechOf({ said }: Trial, caller: Caller, studio: Studio): Promise<Int16Array> {
  return 'kind' in said ? studio.sound(caller, said) : (await studio.speech(caller, said)).pcm;
}

function nameOf({ engine, voice, rate }: Caller): string {
  return `${engine} ${voice}${rate === 1 ? '' : ` ${rate}`}`;
}

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: '6' },
    voice: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    kind: { type: 'string', default: '' },
    calls: { type: 'boolean', default: false },
    pauses: { type: 'boolean' },
    'over-bot': { type: 'boolean' },
    cache: { type: 'string', default: 'data/eval-cache' },
    wrong: { type: 'boolean' },
    out: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const part = Math.max(1, Number(values.part) || 1);
if (values.help) {
  process.stdout.write(HELP);
} else if (values['over-bot']) {
  const outcomes = await tryOverBot({ ...values, part });
  process.stdout.write(overBotTable(outcomes, values.wrong ?? false));
  if (values.out !== undefined) await writeFile(values.out, JSON.stringify(outcomes, null, 1));
} else if (values.pauses) {
  const outcomes = await tryPauses({ ...values, part });
  process.stdout.write(pauseTable(outcomes, values.wrong ?? false));
  if (values.out !== undefined) await writeFile(values.out, JSON.stringify(outcomes, null, 1));
} else {
  const { outcomes, calls } = await tryAll({ ...values, part });
  process.stdout.write(tables(outcomes, values.wrong ?? false));
  process.stdout.write(doubtTable(outcomes, actionsOf(loadActions(ACTIONS))));
  if (calls.length > 0) process.stdout.write(callTable(calls));
  if (values.out !== undefined) await writeFile(values.out, JSON.stringify(outcomes, null, 1));
}
