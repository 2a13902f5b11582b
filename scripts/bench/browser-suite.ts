import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { type Ms, monotonicNow } from '../../src/core/clock.ts';
import { openBrowser, signIn } from '../../tests/console/browser.ts';
import { fakeMicrophone } from '../../tests/console/fake-microphone.ts';
import { listenTo } from '../../tests/console/listening-page.ts';
import { tone } from '../../tests/media/support.ts';
import { Phone } from '../../tests/support/phone/phone.ts';
import type { Measure } from './report.ts';
import type { ConnectorSuite } from './suite.ts';
import { Desk, VOICE_HZ, Witness } from './supervision.ts';

const LONG_ANSWER = 'what can you do';
/** Loud enough to be the caller, on the page's scale of 0 to 1. */
const HEARD = 0.05;

/** The page's wall clock as the caller's monotonic one: both are of this machine. */
const monotonicOf = (epochMs: number): Ms => epochMs - (Date.now() - monotonicNow());

/** Presses a button, and tells when the page knew of it. */
async function press(page: Page, name: string): Promise<Ms> {
  const at = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        document.addEventListener('click', () => resolve(Date.now()), { capture: true, once: true });
      }),
  );
  await page.getByRole('article').getByRole('button', { name, exact: true }).click();
  return monotonicOf(await at);
}

/** When the page plays sound for the first time behind `since`. */
async function playedAfter(page: Page, since: Ms, withinMs = 5000): Promise<Ms | undefined> {
  for (const until = monotonicNow() + withinMs; monotonicNow() < until; await sleep(20)) {
    const played = await page.evaluate((least) => window.heard.filter(({ level }) => level > least), HEARD);
    const first = played.find(({ at }) => monotonicOf(at) > since);
    if (first) return monotonicOf(first.at) - since;
  }
  return undefined;
}

/** How a call went on that ended too soon. */
async function lastWords(desk: Desk, sipCallId: string): Promise<string> {
  const { calls } = await desk.ask<{ calls: { sessionId: string; sipCallId: string }[] }>('GET', '/calls?limit=20');
  const call = calls.find((one) => one.sipCallId === sipCallId);
  if (!call) return 'nothing';
  const { endCause, utterances } = await desk.ask<{
    endCause?: string;
    utterances: { speaker: string; text: string }[];
  }>('GET', `/calls/${call.sessionId}`);
  return `${endCause}; ${utterances
    .slice(-8)
    .map(({ speaker, text }) => `${speaker}: ${text}`)
    .join(' | ')}`;
}

/** A supervisor in Chromium, whose microphone sounds all the time: into a call and out of it, over and over. */
export const browserSupervisor: ConnectorSuite = {
  name: 'browser',
  what: 'a supervisor in Chromium: listens, takes over, gives back',
  environment: {},
  limitMs: 20 * 60_000,
  async run({ connector, voiceBox, turns, signal, progress }) {
    const suite = 'browser';
    const values = { fresh: [] as Ms[], standing: [] as Ms[], silent: [] as Ms[], listen: [] as Ms[] };
    let missed = 0;
    const note = (to: Ms[], value: Ms | undefined) => {
      if (value === undefined) missed++;
      else to.push(value);
    };
    const measured = (): Measure[] => {
      const hears = { suite, unit: 'ms', target: 'p95 <= 1500', limits: { p95: 1500 } } as const;
      return [
        {
          ...hears,
          name: 'click to caller hears, from nothing',
          values: values.fresh,
          missed,
          allowedMissed: 0,
          note: 'microphone, WebSocket, INVITE with digest, ICE and DTLS are in it',
        },
        { ...hears, name: 'click to caller hears, while listening', values: values.standing },
        {
          suite,
          name: 'click to bot silent, while listening',
          unit: 'ms',
          values: values.silent,
          target: '<= 200',
          limits: { max: 200 },
        },
        {
          suite,
          name: 'listen-in delay',
          unit: 'ms',
          values: values.listen,
          target: '<= 400',
          limits: { max: 400 },
          note: 'caller’s first packet to the browser’s loudspeaker, its jitter buffer included',
        },
      ];
    };
    const microphone = await fakeMicrophone(tone(8000, VOICE_HZ, 0.2), 'looped');
    const witness = new Witness();
    const caller = await Phone.open({ voiceBox, voice: 'rms', onAudio: witness.take });
    const browser = await openBrowser({ args: microphone.args });
    try {
      const { page, context } = browser;
      await listenTo(page);
      await context.grantPermissions(['microphone'], { origin: connector.api });
      await signIn(page, connector.api, connector.token);
      await page.goto(`${connector.api}/supervise`);
      await caller.prepare([LONG_ANSWER]);
      await caller.dial(connector.uri);
      await caller.waitForReply();
      const botSpeaks = async () => {
        await caller.say(LONG_ANSWER);
        await caller.waitForSpeech(8000);
        await caller.pause(700);
      };
      for (let round = 1; round <= turns && !signal.aborted; round++) {
        progress(`round ${round} of ${turns}`);
        await botSpeaks();
        note(values.fresh, await witness.supervisorAfter(await press(page, 'Take over')));
        await press(page, 'Give back');
        await caller.waitForReply({ timeoutMs: 8000 });
        const turn = await caller.say(tone(4000, 700, 0.3), { expectReply: false });
        note(values.listen, await playedAfter(page, turn.startedAt!));
        await caller.pause(1000);
        // Muted, so that whatever is heard behind the click is the bot: a starved browser mangles the tone it sends.
        await press(page, 'Mute');
        await botSpeaks();
        const click = await press(page, 'Take over');
        await caller.pause(800);
        values.silent.push(witness.silentAfter(click));
        await press(page, 'Give back');
        await press(page, 'Unmute');
        await caller.waitForReply({ timeoutMs: 8000 });
        await botSpeaks();
        note(values.standing, await witness.supervisorAfter(await press(page, 'Take over')));
        await press(page, 'Leave');
        await caller.waitForReply({ timeoutMs: 8000 });
      }
    } catch (error) {
      // Whoever ends the bench may end the connector with it (a terminal, timeout(1)): its BYE says nothing then.
      if (signal.aborted) return measured();
      progress(`the record says: ${await lastWords(new Desk(connector), caller.sipCallId)}`);
      throw error;
    } finally {
      await browser.close();
      await caller.close();
      await microphone.remove();
    }
    return measured();
  },
};
