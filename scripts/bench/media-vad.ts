import { setTimeout as sleep } from 'node:timers/promises';
import { PCMU } from '../../src/media/codecs/g711.ts';
import { startChild } from './child.ts';
import { CrowdMedia } from './crowd-media.ts';
import type { MediaServerSettings } from './media-server.ts';
import { watchPacing } from './pacing.ts';
import { percentOfDue } from './packet-figures.ts';
import { cpuPerCall, cpuSecondsOf } from './process-stats.ts';
import type { Measure } from './report.ts';
import type { PartSuite } from './suite.ts';

const CALLS = 200;
const ROUNDS = 4;
const ROUND_MS = 4000;
const SAID = 'I would like to know the balance of my savings account, please.';

/** What hearing costs: callers who speak, the media plane alone, with the connector's VAD beside a plain one. */
export const mediaVad: PartSuite = {
  name: 'media-vad',
  what: `${CALLS} callers who speak half of the time: the media plane alone, with Silero and with a VAD by level`,
  environment: undefined,
  limitMs: 3 * 60_000,
  async run(options) {
    const spoken = await options.voiceBox.speak(SAID, 'slt');
    const speech = new Uint8Array(spoken.length * 2).fill(PCMU.silence);
    for (let i = 0; i < spoken.length; i++) speech[i] = PCMU.fromLinear[spoken[i]! & 0xffff]!;
    const calls = options.calls ?? CALLS;
    const measures: Measure[] = [];
    for (const vad of [false, true]) {
      const { percents, p99, note } = await measured(calls, speech, vad);
      const by = vad ? 'with Silero' : 'with a VAD by level';
      options.progress(`${by}: ${percents.map((percent) => percent.toFixed(3)).join(', ')} %`);
      measures.push(
        {
          ...{ suite: 'media-vad', name: `CPU per call ${by}, ${calls} calls`, unit: '%', values: percents },
          ...(vad && { target: '<= 0.4 % of a core', limits: { p50: 0.4 } }),
          note: 'the media process alone: receive, decode, VAD, encode, send',
        },
        { suite: 'media-vad', name: `between packets ${by}, p99`, unit: 'ms', values: [p99], note },
      );
    }
    return measures;
  },
};

async function measured(calls: number, speech: Uint8Array, vad: boolean) {
  const crowd = await CrowdMedia.open(speech);
  const settings: MediaServerSettings = { calls, remotePort: crowd.port, vad };
  const { child, said } = await startChild<{ ports: number[] }>('media-server.ts', JSON.stringify(settings));
  try {
    for (const port of said.ports) crowd.add(port);
    await sleep(ROUND_MS);
    const watched = await watchPacing({
      ...{ name: 'a crowd', rtpPort: crowd.port, stamped: crowd.stamped },
      reset: async () => crowd.reset(),
      saw: async () => crowd.figures(),
    });
    const percents = await cpuPerCall(() => cpuSecondsOf(child.pid!), { calls, rounds: ROUNDS, roundMs: ROUND_MS });
    const { p99, gaps, packets, seconds, note } = (await watched())!;
    const due = percentOfDue(calls, packets, seconds).toFixed(1);
    return { percents, p99, note: `${note}; ${gaps} gaps, ${due} % of the packets due` };
  } finally {
    crowd.close();
    child.disconnect();
  }
}
