import { setTimeout as sleep } from 'node:timers/promises';
import { AUDIO_NICE, nice } from '../../src/core/priority.ts';
import type { CrowdAnswer, CrowdOrder, CrowdReady, CrowdSettings } from './crowd.ts';
import { CrowdCalls } from './crowd-calls.ts';
import { CrowdMedia } from './crowd-media.ts';

/** The crowd's own process: takes CrowdOrders over IPC, answers each with a CrowdAnswer. */

// As quick as what it measures: a far end is on a machine of its own.
nice(AUDIO_NICE);
const settings = JSON.parse(process.argv[2]!) as CrowdSettings;
const media = await CrowdMedia.open(Buffer.from(settings.speech ?? '', 'base64'), settings.echo);
let holdMs: number | undefined;
let over = 0;
let up = 0;
const calls = await CrowdCalls.open({
  sipPort: settings.sipPort,
  rtpPort: media.port,
  onUp(call) {
    up++;
    media.add(call.rtpPort);
    if (holdMs !== undefined) setTimeout(() => calls.hangUp(call), holdMs);
  },
  onOver(call) {
    over++;
    media.remove(call.rtpPort);
  },
});

async function dial(count: number, perSecond: number, number?: string): Promise<void> {
  const from = performance.now();
  for (let i = 0; i < count; i++) {
    const wait = from + (i * 1000) / perSecond - performance.now();
    if (wait > 1) await sleep(wait);
    calls.dial(number);
  }
}

async function settled(wanted: () => boolean, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  while (!wanted() && performance.now() < until) await sleep(20);
}

async function obey(order: CrowdOrder): Promise<CrowdAnswer> {
  switch (order.do) {
    case 'bring up': {
      holdMs = undefined;
      const before = up + calls.failed;
      await dial(order.calls, order.perSecond, order.number);
      await settled(() => up + calls.failed - before >= order.calls, 20_000);
      break;
    }
    case 'short calls': {
      holdMs = order.holdMs;
      await dial(order.calls, order.perSecond);
      await settled(() => calls.live === 0, 20_000);
      break;
    }
    case 'reset':
      media.reset();
      break;
    case 'hang up':
      calls.hangUpAll();
      await settled(() => calls.live === 0, 20_000);
      break;
    case 'figures':
  }
  return { ...media.figures(), up, over, failed: calls.failed, setupMs: calls.setupMs };
}

let queue: Promise<unknown> = Promise.resolve();
process.on('message', (order: CrowdOrder) => {
  queue = queue.then(async () => process.send?.(await obey(order)));
});
process.on('disconnect', () => process.exit(0));
const ready: CrowdReady = { rtpPort: media.port, stamped: media.stamped };
process.send?.(ready);
