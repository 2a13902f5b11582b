import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../../src/core/clock.ts';
import { type AnsweredCall, AnsweringPhone } from '../../tests/support/phone/answering-phone.ts';
import { Phone } from '../../tests/support/phone/phone.ts';
import { header } from '../../tests/support/phone/sip-message.ts';
import { BenchConnector } from './connector.ts';
import type { Measure } from './report.ts';
import type { PartSuite, SuiteOptions } from './suite.ts';

const TRANSFERS = 200;
const AT_ONCE = 12;

/** How a call goes, what the hand-over must come to, and how often the agent's telephone must have been called. */
const KINDS = [
  { kind: 'blind', queue: 'blind', outcome: 'transferred', legs: 1 },
  { kind: 'attended', queue: 'attended', outcome: 'transferred', legs: 2 },
  { kind: 'the agent hangs up', queue: 'bridge', outcome: 'finished', legs: 1 },
  { kind: 'the caller hangs up', queue: 'bridge', outcome: 'caller-gone', legs: 1 },
  { kind: 'declined', queue: 'bridge', outcome: 'nobody', legs: 1 },
  { kind: 'gone while briefed', queue: 'bridge', outcome: 'caller-gone', legs: 1 },
  { kind: 'busy', queue: 'busy', outcome: 'nobody', legs: 0 },
  { kind: 'taken back', queue: 'bridge', outcome: 'recalled', legs: 1 },
] as const;

const config = (agent: string, busy: string) => `bots: [{ name: bank }]
trunks: [{ name: local, from: 127.0.0.1 }]
numbers: [{ any: true, bot: bank }]
gateways:
  - name: pbx
    destinations: [{ host: 127.0.0.1 }]
    limits: { calls: 500, callsPerSecond: 500, callsPerDay: 100000, callsPerNumberPerDay: 100000 }
handover:
  queues:
${[
  ['blind', agent, 'refer'],
  ['attended', agent, 'attended'],
  ['bridge', agent, 'bridge'],
  ['busy', busy, 'bridge'],
]
  .map(
    ([name, to, how]) =>
      `    - { name: ${name}, maxWaitSeconds: 0, places: 500, briefing: { header: X-Call-Summary }, targets: [{ name: ${name}, to: "${to}", how: ${how}, calls: 500 }] }`,
  )
  .join('\n')}
`;

interface Told {
  outcome: string | null;
}

/** One call from its INVITE to its end. */
class Transfer {
  readonly kind: (typeof KINDS)[number];
  readonly #connector: BenchConnector;
  readonly #agent: AnsweringPhone;
  phone: Phone | undefined;
  sessionId = '';
  setUpMs: number | undefined;

  constructor(kind: (typeof KINDS)[number], connector: BenchConnector, agent: AnsweringPhone) {
    this.kind = kind;
    this.#connector = connector;
    this.#agent = agent;
  }

  /** The agent's calls for this caller, each from its INVITE: those of REFERs carry the summary on as well. */
  get legs(): AnsweredCall[] {
    // It never came about: no leg is its own.
    if (this.sessionId === '') return [];
    return this.#agent.calls.filter(({ invite, signalling }) => {
      const told = header(invite, 'x-call-summary')?.includes(this.sessionId) ?? false;
      return told || signalling.callId === this.phone?.referred?.signalling.callId;
    });
  }

  /** @throws Error when it does not go as it should */
  async run(): Promise<void> {
    const { kind, queue, outcome } = this.kind;
    this.phone = await Phone.open({ refers: kind === 'blind' || kind === 'attended' });
    await this.phone.dial(this.#connector.uri);
    this.sessionId = await this.#until('the call in the list', () => this.#find());
    const began = monotonicNow();
    const answer = await this.#api('POST', { queue });
    if (answer.status !== 202) throw new Error(`transfer refused: ${answer.status}`);
    if (kind === 'blind')
      await this.#until('the agent to be called', () => this.phone?.referred?.signalling.answeredAt);
    else if (kind !== 'busy') await this.#brief();
    this.setUpMs = monotonicNow() - began;
    if (kind === 'the agent hangs up') void this.legs[0]!.signalling.hangup();
    if (kind === 'the caller hangs up') await this.phone.hangup();
    if (kind === 'taken back') await this.#api('DELETE');
    await this.#until(`outcome ${outcome}`, async () => (await this.#outcome()) === outcome || undefined);
    if (outcome === 'transferred' || outcome === 'finished') await this.phone.waitForHangup();
    await this.phone.hangup();
    await this.phone.referred?.signalling.hangup();
  }

  async #brief(): Promise<void> {
    const { kind } = this.kind;
    const agent = await this.#until('the agent to be called', () => this.legs[0]);
    await this.#until('the briefing', () => agent.line.ear.spells[0]);
    if (kind === 'gone while briefed') {
      await this.phone!.hangup();
      return;
    }
    agent.line.mouth.press(kind === 'declined' ? '2' : '1');
    if (kind === 'declined') return;
    const wanted = kind === 'attended' ? 'transferred' : 'connected';
    await this.#until(wanted, async () => {
      const told = (await (await this.#api('GET')).json().catch(() => ({}))) as { state?: string };
      // A call that was transferred is gone.
      return kind === 'attended' ? this.phone?.ended : told.state === 'connected' || undefined;
    });
  }

  /** Also of a call that is over: its record has the event. */
  async #outcome(): Promise<string | null | undefined> {
    const live = await this.#api('GET');
    if (live.ok) return ((await live.json()) as Told).outcome;
    const response = await this.#get(`/calls/${this.sessionId}`);
    if (!response.ok) return undefined;
    const { events } = (await response.json()) as { events: { type: string; data: Told }[] };
    return events.find(({ type }) => type === 'handover-ended')?.data.outcome;
  }

  async #find(): Promise<string | undefined> {
    const response = await this.#get('/calls?limit=100&status=ACTIVE');
    // A busy database answers later, and is asked again.
    if (!response.ok) return undefined;
    const { calls } = (await response.json()) as { calls: { sessionId: string; sipCallId: string }[] };
    return calls.find(({ sipCallId }) => sipCallId === this.phone?.sipCallId)?.sessionId;
  }

  #get(path: string): Promise<Response> {
    return fetch(`${this.#connector.api}/api/v1${path}`, {
      headers: { authorization: `Bearer ${this.#connector.token}` },
    });
  }

  #api(method: string, body?: object): Promise<Response> {
    return fetch(`${this.#connector.api}/api/v1/calls/${this.sessionId}/transfer`, {
      method,
      headers: {
        authorization: `Bearer ${this.#connector.token}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  async #until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const limit = monotonicNow() + 20_000;
    while (monotonicNow() < limit) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(150);
    }
    throw new Error(`waited in vain for ${what}`);
  }
}

export const transfers: PartSuite = {
  name: 'transfers',
  what: `${TRANSFERS} hand-overs of ${KINDS.length} kinds, ${AT_ONCE} at once: no leg lost, none doubled, none left`,
  environment: undefined,
  limitMs: 9 * 60_000,
  async run(options: SuiteOptions): Promise<Measure[]> {
    const folder = await mkdtemp(join(tmpdir(), 'transfers-'));
    const [agent, busy] = await Promise.all([
      AnsweringPhone.open({ ringMs: 50 }),
      AnsweringPhone.open({ refuse: { status: 486, reason: 'Busy Here' } }),
    ]);
    let connector: BenchConnector | undefined;
    try {
      await writeFile(join(folder, 'sip.yaml'), config(agent.uri, busy.uri));
      // What else runs on this machine must not have calls refused: nothing would be learnt of hand-overs.
      const patience = { MAX_CPU_PERCENT: '100', MAX_LOOP_DELAY_MS: '10000' };
      connector = await BenchConnector.start({ BOT_PROFILE: 'silent', SIP_CONFIG: folder, ...patience });
      return await measure(connector, agent, options);
    } finally {
      // Also when it did not start: telephones that are open keep the bench from its end.
      await connector?.stop();
      await Promise.all([agent.close(), busy.close()]);
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measure(connector: BenchConnector, agent: AnsweringPhone, options: SuiteOptions): Promise<Measure[]> {
  const wanted = options.calls ?? TRANSFERS;
  const all = Array.from({ length: wanted }, (_, i) => new Transfer(KINDS[i % KINDS.length]!, connector, agent));
  const waiting = [...all];
  let failed = 0;
  const work = async () => {
    for (let one = waiting.shift(); one && !options.signal.aborted; one = waiting.shift()) {
      try {
        await one.run();
      } catch (error) {
        failed++;
        options.problems.push(`transfers, ${one.kind.kind}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, wanted) }, work));
  options.progress(`${wanted} transfers made, ${failed} went otherwise`);
  // What is being hung up needs a moment.
  await sleep(2_000);
  const doubled = all.filter((one) => one.legs.length > one.kind.legs).length;
  const lost = all.filter((one) => one.legs.length < one.kind.legs).length;
  const open = [
    ...agent.calls.map(({ signalling }) => signalling),
    ...all.flatMap(({ phone }) => [phone?.call, phone?.referred?.signalling]),
  ].filter((call) => call !== undefined && call.state !== 'ended').length;
  const metric = await connector.metrics();
  const gauge = (name: string) => metric(name) ?? Number.NaN;
  for (const { phone } of all) await phone?.close();
  const none = { target: '0', limits: { max: 0 }, unit: 'count', suite: 'transfers' } as const;
  return [
    { ...none, name: 'went otherwise than they should', values: [failed], note: `${wanted} transfers` },
    { ...none, name: 'calls whose agent leg is missing', values: [lost] },
    { ...none, name: 'calls with an agent leg too many', values: [doubled] },
    { ...none, name: 'legs left open at the telephones', values: [open] },
    { ...none, name: 'dialogs left in the connector', values: [gauge('voice_sip_dialogs')] },
    { ...none, name: 'calls left in the connector', values: [gauge('voice_active_calls')] },
    { ...none, name: 'media sessions left in the connector', values: [gauge('voice_media_sessions')] },
    {
      suite: 'transfers',
      name: 'from the request to the agent’s key or answer',
      unit: 'ms',
      values: all.flatMap(({ setUpMs }) => (setUpMs === undefined ? [] : [setUpMs])),
      note: 'the agent takes the call at the first word of the briefing; looked at every 150 ms',
    },
  ];
}
