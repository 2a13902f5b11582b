import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadActions } from '../../src/banking/load-actions.ts';
import { actionsOf } from '../../src/banking/view.ts';
import { hintsFrom } from '../../src/call/hints.ts';
import { RequestReader } from '../../src/dialogue/requests/request-reader.ts';
import { CONDITIONS, type Condition } from './asr/conditions.ts';
import { Hearing } from './asr/hearing.ts';
import { overTheLine } from './asr/line.ts';
import { judged, type Outcome, tables } from './asr/outcomes.ts';
import { HUMAN, meaningFor, type Trial, trialsFor, voicesFor } from './asr/trials.ts';
import { roomNoise } from './audio/room.ts';
import { findSources, Studio } from './audio/studio.ts';
import type { Caller } from './corpus/types.ts';

const HELP = `node_modules/.bin/node scripts/eval/asr.ts [options]     the recogniser by itself: what it understands of whom

  --part N        every N-th trial of each voice (default 6), rotating over voices and conditions; 1 takes an hour
  --voice TEXT    only voices whose name contains this
  --only TEXT     only conditions whose name contains this
  --kind TEXT     only kinds of trials whose name contains this
  --wrong         lists what went wrong
  --out FILE      every trial as JSON
`;

const ACTIONS = fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url));

interface Options {
  readonly part: number;
  readonly voice: string;
  readonly only: string;
  readonly kind: string;
}

async function tryAll({ part, voice, only, kind }: Options): Promise<Outcome[]> {
  const actions = actionsOf(loadActions(ACTIONS));
  const reader = new RequestReader(actions);
  const hintsFor = hintsFrom(actions);
  const studio = new Studio('data/eval-cache');
  const hearing = await Hearing.start();
  const sources = await findSources();
  const callers = [...voicesFor(sources), ...(sources.human ? [HUMAN] : [])];
  const conditions = CONDITIONS.filter(({ name }) => name.includes(only));
  const outcomes: Outcome[] = [];
  try {
    for (const [c, condition] of conditions.entries()) {
      for (const [v, caller] of callers.entries()) {
        if (!nameOf(caller).includes(voice)) continue;
        // there is one human voice
        const stride = caller === HUMAN ? Math.max(1, Math.round(part / 4)) : part;
        const ear = hearing.call();
        for (const [t, trial] of trialsFor(caller).entries()) {
          if ((t + v + c) % stride !== 0 || !trial.kind.includes(kind)) continue;
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
  }
  return outcomes;
}

async function segmentOf(
  trial: Trial,
  caller: Caller,
  { noise, lossPercent = 0 }: Condition,
  seed: number,
  studio: Studio,
): Promise<Int16Array> {
  const speech =
    'kind' in trial.said ? await studio.sound(caller, trial.said) : (await studio.speech(caller, trial.said)).pcm;
  return overTheLine(speech, await roomNoise(noise, caller, seed, studio), lossPercent, seed);
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
    wrong: { type: 'boolean' },
    out: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  const outcomes = await tryAll({ ...values, part: Math.max(1, Number(values.part) || 1) });
  process.stdout.write(tables(outcomes, values.wrong ?? false));
  if (values.out !== undefined) await writeFile(values.out, JSON.stringify(outcomes, null, 1));
}
