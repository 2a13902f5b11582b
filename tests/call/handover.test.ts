import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadActions } from '../../src/banking/load-actions.ts';
import { actionsOf } from '../../src/banking/view.ts';
import type { CallerFacts } from '../../src/call/handover/briefing.ts';
import { ordinal, spokenBriefing, summaryHeader, summaryOf } from '../../src/call/handover/briefing.ts';
import { Handover } from '../../src/call/handover/handover.ts';
import { HandoverDesk } from '../../src/call/handover/handover-desk.ts';
import {
  AD_HOC_QUEUE,
  DEFAULT_PROMPTS,
  type HandoverQueue,
  type HandoverTarget,
} from '../../src/call/handover/handover-plan.ts';
import type { HandoverCaller, HandoverPerson, TalkEnd, Verdict } from '../../src/call/handover/handover-sides.ts';
import { WaitingRoom } from '../../src/call/handover/waiting-room.ts';
import { Webhook } from '../../src/call/handover/webhook.ts';
import type { Leg, Referral, ReferralEnd, TransferWish } from '../../src/call/legs/call-leg.ts';
import { systemTimekeeper } from '../../src/core/alarm.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Failure } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/log.ts';
import { type ActionDesk, AGENT_ACTION } from '../../src/dialogue/questions/action-desk.ts';

const FACTS: CallerFacts = {
  sessionId: '00000000-0000-0000-0000-000000000001',
  phone: '+15550100',
  customerId: '4711',
  verified: true,
  history: [
    { role: 'caller', text: 'block my card' },
    {
      role: 'action',
      id: '1',
      name: 'block_card',
      arguments: {},
      result: { ok: true, code: 'posted', data: { card_status: 'BLOCKED' }, say: 'Done.' },
    },
    { role: 'caller', text: 'an agent please' },
  ],
};

const target = (name: string, more: Partial<HandoverTarget> = {}): HandoverTarget => ({
  name,
  to: `sip:${name}@pbx`,
  gateway: undefined,
  way: 'bridge',
  ringMs: 1_000,
  calls: 1,
  ...more,
});

const queueOf = (targets: HandoverTarget[], more: Partial<HandoverQueue> = {}): HandoverQueue => ({
  ...AD_HOC_QUEUE,
  name: 'q',
  targets,
  ...more,
});

type Answer = Verdict | 'busy' | 'no-answer' | 'refused';

/** The caller and everybody who can be called, all scripted; remembers what was done. */
class Scene implements HandoverCaller {
  readonly did: string[] = [];
  readonly over = new AbortController();
  readonly persons: { name: string; down: AbortController }[] = [];
  /** What the person of this name does; `accepted` when nothing is said. */
  answers: Record<string, Answer> = {};
  referral: ReferralEnd | (() => Promise<ReferralEnd>) = { outcome: 'refused', status: 603 };
  talkEnds: TalkEnd | (() => Promise<TalkEnd>) = 'person-left';
  /** Does anybody take the caller whom the person wants to pass on? */
  passedOn = false;
  refers = false;
  referrals: Referral[] = [];
  /** Looks at how it stands while a telephone rings. */
  whileItRings: (() => void) | undefined;
  /** When the BYE to a person is confirmed. */
  telephoneIsFree: Promise<void> = Promise.resolve();

  get signal(): AbortSignal {
    return this.over.signal;
  }

  get leg(): Leg {
    const refer = async (referral: Referral) => {
      this.referrals.push(referral);
      this.did.push(`refer ${referral.to ?? 'attended'}`);
      return typeof this.referral === 'function' ? this.referral() : this.referral;
    };
    return { refers: this.refers, refer } as Leg;
  }

  facts(): CallerFacts {
    return FACTS;
  }

  event(type: string): void {
    if (type === 'handover-ended') this.did.push('ended');
  }

  tell(words: string): void {
    this.did.push(`tell ${words}`);
  }

  hold(sound: string): void {
    this.did.push(sound);
  }

  async dial(
    { name }: HandoverTarget,
    { onProgress }: { onProgress(status: number): void },
    signal: AbortSignal,
  ): Promise<HandoverPerson> {
    this.did.push(`dial ${name}`);
    onProgress(180);
    this.whileItRings?.();
    const answer = this.answers[name] ?? 'accepted';
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new Failure('cancelled', { code: 'dial-cancelled', blame: 'us', sipStatus: 487 });
    if (answer === 'busy' || answer === 'no-answer' || answer === 'refused') {
      throw new Failure('no', { code: `dial-${answer}`, blame: 'network', sipStatus: 486 });
    }
    const down = new AbortController();
    this.persons.push({ name, down });
    return {
      leg: {} as Leg,
      signal: down.signal,
      free: this.telephoneIsFree,
      brief: async (text) => {
        this.did.push(`brief ${text}`);
        await new Promise((resolve) => setImmediate(resolve));
        return signal.aborted ? 'gone' : answer;
      },
      hangup: async () => {
        this.did.push(`hang up ${name}`);
        down.abort();
      },
    };
  }

  async passOn(): Promise<boolean> {
    this.did.push('pass on');
    await new Promise((resolve) => setImmediate(resolve));
    return this.passedOn;
  }

  async talk(): Promise<TalkEnd> {
    this.did.push('talk');
    return typeof this.talkEnds === 'function' ? this.talkEnds() : this.talkEnds;
  }
}

let scene: Scene;
let room: WaitingRoom;
beforeEach(() => {
  scene = new Scene();
  room = new WaitingRoom();
});

function handover(queue: HandoverQueue, caller = scene): Handover {
  const webhook = new Webhook(systemClock, silentLogger, []);
  const facts = { by: 'api', caller, queue, room, webhook, agentAction: 'speak_to_agent' } as const;
  return new Handover({ ...facts, time: systemTimekeeper, log: silentLogger });
}

const attempts = (one: Handover) => one.status.attempts.map(({ target, way, outcome }) => [target, way, outcome]);

describe('a caller on the way to a person', () => {
  it.each<[string, Answer, string]>([
    ['busy', 'busy', 'busy'],
    ['not answering', 'no-answer', 'no-answer'],
    ['declining by key', 'declined', 'declined'],
    ['pressing no key', 'no-key', 'no-key'],
    ['hanging up in the briefing', 'gone', 'gone'],
  ])('comes to the next when the first is %s', async (_what, answer, outcome) => {
    scene.answers = { anna: answer };
    const one = handover(queueOf([target('anna'), target('ben')]));
    expect(await one.run()).toBe('finished');
    expect(attempts(one)).toEqual([
      ['anna', 'bridge', outcome],
      ['ben', 'bridge', 'connected'],
    ]);
    expect(scene.persons.every(({ down }) => down.signal.aborted)).toBe(true);
    expect([room.inHand, room.waiting('q')]).toEqual([0, 0]);
  });

  it('is sent by the own exchange where that lets itself be sent, and bridged where it refuses', async () => {
    scene.refers = true;
    scene.referral = { outcome: 'connected', status: 200 };
    expect(await handover(queueOf([target('anna', { way: 'auto' })])).run()).toBe('transferred');
    expect(scene.did).not.toContain('dial anna');
    scene.referral = { outcome: 'refused', status: 603 };
    const second = handover(queueOf([target('anna', { way: 'auto' })]));
    expect(await second.run()).toBe('finished');
    expect(attempts(second)).toEqual([
      ['anna', 'refer', 'refused'],
      ['anna', 'bridge', 'connected'],
    ]);
  });

  it('is not called for twice when nobody knows whether somebody answered', async () => {
    scene.referral = { outcome: 'unknown', why: 'no-notify' };
    const one = handover(queueOf([target('anna', { way: 'refer' }), target('ben')]));
    expect(await one.run()).toBe('unknown');
    expect(scene.did).not.toContain('dial ben');
  });

  it('attended: the exchange takes our place with her, or cannot and they talk through us', async () => {
    scene.referral = { outcome: 'left' };
    expect(await handover(queueOf([target('anna', { way: 'attended' })])).run()).toBe('transferred');
    expect(scene.referrals[0]?.replaces).toBeDefined();
    expect(scene.did).not.toContain('talk');
    scene.referral = { outcome: 'failed', status: 481 };
    expect(await handover(queueOf([target('anna', { way: 'attended' })])).run()).toBe('finished');
    expect(scene.did).toContain('talk');
    expect(scene.persons.every(({ down }) => down.signal.aborted)).toBe(true);
  });

  it('who is to be passed on by the person: the talk is over when somebody takes them, and goes on when nobody does', async () => {
    const wish = { to: { queue: 'other' } } as TransferWish;
    const ends: TalkEnd[] = [wish, 'person-left'];
    scene.talkEnds = async () => ends.shift()!;
    scene.passedOn = true;
    const passed = handover(queueOf([target('anna')]));
    expect(await passed.run()).toBe('passed-on');
    expect(scene.did.slice(-3)).toEqual(['pass on', 'hang up anna', 'ended']);
    expect(await passed.reached).toBe(true);
    scene = new Scene();
    ends.unshift(wish);
    scene.talkEnds = async () => ends.shift()!;
    expect(await handover(queueOf([target('anna')]), scene).run()).toBe('finished');
    expect(scene.did.filter((did) => did === 'talk' || did === 'pass on')).toEqual(['talk', 'pass on', 'talk']);
    // Who hangs up as soon as they have asked for it cannot take the caller back.
    scene = new Scene();
    scene.talkEnds = async () => {
      scene.persons[0]!.down.abort();
      return wish;
    };
    expect(await handover(queueOf([target('anna')]), scene).run()).toBe('nobody');
    expect(scene.did.filter((did) => did === 'talk')).toHaveLength(1);
  });

  it('does not count as talked to when the person was gone at once: the next is called, or the bot has the caller', async () => {
    const ends: TalkEnd[] = ['gone', 'person-left', 'gone'];
    scene.talkEnds = async () => ends.shift()!;
    const first = handover(queueOf([target('a'), target('b')]));
    expect(await first.run()).toBe('finished');
    expect(attempts(first)).toEqual([
      ['a', 'bridge', 'gone'],
      ['b', 'bridge', 'connected'],
    ]);
    const second = handover(queueOf([target('a')], { maxWaitMs: 0 }));
    expect(await second.run()).toBe('nobody');
    expect(second.status.state).toBe('ended');
  });

  it('waits for who is busy with another caller, and is told the place in line', async () => {
    const talk = Promise.withResolvers<'person-left'>();
    scene.talkEnds = () => talk.promise;
    const patient = { maxWaitMs: 5_000, retryMs: 10, announceMs: 20 };
    const first = handover(queueOf([target('anna')], patient)).run();
    await expect.poll(() => scene.did).toContain('talk');
    const other = new Scene();
    const waiting = handover(queueOf([target('anna')], patient), other);
    const second = waiting.run();
    await expect
      .poll(() => other.did.filter((did) => did.includes('You are second in line.')).length)
      .toBeGreaterThan(1);
    expect(waiting.status).toMatchObject({ state: 'waiting', position: 2 });
    talk.resolve('person-left');
    expect(await Promise.all([first, second])).toEqual(['finished', 'finished']);
    expect(room.inHand).toBe(0);
  });

  it('does not get a person whose telephone is still hanging up with the caller before', async () => {
    const confirmed = Promise.withResolvers<void>();
    scene.telephoneIsFree = confirmed.promise;
    expect(await handover(queueOf([target('anna')])).run()).toBe('finished');
    expect(room.inHand).toBe(1);
    const other = new Scene();
    const second = handover(queueOf([target('anna')], { maxWaitMs: 5_000, retryMs: 10 }), other).run();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(other.did).not.toContain('dial anna');
    confirmed.resolve();
    expect(await second).toBe('finished');
    expect(room.inHand).toBe(0);
  });

  it('is told to ring at somebody’s while it does, whoever calls them', async () => {
    const stood: unknown[] = [];
    const one = handover(queueOf([target('anna'), target('ben', { way: 'refer' })]));
    scene.answers = { anna: 'busy' };
    scene.whileItRings = () => stood.push(one.status.attempts.at(-1));
    scene.referral = async () => {
      const { onProgress } = scene.referrals.at(-1)!;
      for (const status of [100, 180, 183]) {
        onProgress?.(status);
        stood.push(one.status.attempts.at(-1));
      }
      return { outcome: 'connected', status: 200 };
    };
    expect(await one.run()).toBe('transferred');
    expect(stood).toEqual([
      { target: 'anna', way: 'bridge', outcome: 'ringing', status: 180 },
      { target: 'ben', way: 'refer', outcome: 'trying', status: 100 },
      { target: 'ben', way: 'refer', outcome: 'ringing', status: 180 },
      { target: 'ben', way: 'refer', outcome: 'ringing', status: 183 },
    ]);
    expect(one.status.attempts.at(-1)).toMatchObject({ outcome: 'connected', status: 200 });
  });

  it('waits no longer than the queue lets them, and is tried again meanwhile', async () => {
    scene.answers = { anna: 'busy' };
    const one = handover(queueOf([target('anna')], { maxWaitMs: 120, retryMs: 10 }));
    expect(await one.run()).toBe('nobody');
    expect(scene.did.filter((did) => did === 'dial anna').length).toBeGreaterThan(1);
  });

  it('hears that nobody is in, or that the line is full', async () => {
    expect(await handover(queueOf([target('anna')], { isOpen: () => false })).run()).toBe('closed');
    const before = room.join('q', 1);
    expect(await handover(queueOf([target('anna')], { places: 1 })).run()).toBe('full');
    before?.leave();
    expect(scene.did.filter((did) => did.startsWith('dial'))).toEqual([]);
  });

  it('may leave the line by key, and be called back by staff, but not out of a talk by that key', async () => {
    scene.answers = { anna: 'busy' };
    const one = handover(queueOf([target('anna')], { maxWaitMs: 60_000, retryMs: 60_000 }));
    const end = one.run();
    await expect.poll(() => one.status.attempts.length).toBe(1);
    one.onCallerKey('5');
    one.onCallerKey('*');
    expect(await end).toBe('cancelled');
    const talk = Promise.withResolvers<'person-left'>();
    scene.talkEnds = () => talk.promise;
    const talking = handover(queueOf([target('ben')]));
    const talked = talking.run();
    await expect.poll(() => talking.status.state).toBe('connected');
    talking.onCallerKey('*');
    expect(talking.status.state).toBe('connected');
    talking.recall();
    talk.resolve('person-left');
    expect(await talked).toBe('recalled');
  });

  it('leaves no leg, no place and no person behind, whenever the caller hangs up or is called back', async () => {
    const answer = fc.constantFrom<Answer>('accepted', 'declined', 'no-key', 'gone', 'busy', 'no-answer', 'refused');
    const referral = fc.constantFrom<ReferralEnd>(
      { outcome: 'connected', status: 200 },
      { outcome: 'left' },
      { outcome: 'refused', status: 403 },
      { outcome: 'failed', status: 486 },
      { outcome: 'unknown', why: 'expired' },
      { outcome: 'ended', by: 'remote' },
    );
    const person = fc.record({ answer, way: fc.constantFrom('auto', 'refer', 'attended', 'bridge' as const) });
    const stop = fc.record({ afterTurns: fc.nat({ max: 12 }), how: fc.constantFrom('hang up', 'recall', 'nothing') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(person, { minLength: 1, maxLength: 4 }),
        referral,
        fc.boolean(),
        stop,
        async (people, referralEnd, refers, { afterTurns, how }) => {
          const caller = new Scene();
          caller.refers = refers;
          caller.referral = referralEnd;
          caller.answers = Object.fromEntries(people.map(({ answer }, i) => [`p${i}`, answer]));
          const one = handover(queueOf(people.map(({ way }, i) => target(`p${i}`, { way: way as 'auto' }))), caller);
          const end = one.run();
          for (let turn = 0; turn < afterTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
          if (how === 'hang up') caller.over.abort();
          if (how === 'recall') one.recall();
          const outcome = await end;
          expect(one.status).toMatchObject({ state: 'ended', outcome });
          expect(caller.did.filter((did) => did === 'ended')).toHaveLength(1);
          expect(caller.persons.every(({ down }) => down.signal.aborted)).toBe(true);
          expect([room.inHand, room.waiting('q')]).toEqual([0, 0]);
          expect(one.status.attempts.some(({ outcome: tried }) => tried === 'trying')).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what the person is told', () => {
  it('says who calls and what was done, without amounts or whole numbers', () => {
    const summary = summaryOf(FACTS, 'speak_to_agent');
    const keys = { acceptKey: '1', declineKey: '#' };
    expect(spokenBriefing(FACTS, { ...summary, topic: 'a mortgage.' }, DEFAULT_PROMPTS, keys)).toBe(
      'A call from the voice assistant. A verified customer with the number ending in 0 1 0 0. So far: block card: done. ' +
        'They want to speak about a mortgage. Press 1 to take the call, or the hash key to decline.',
    );
    const stranger = { ...FACTS, phone: '', verified: false, history: [] };
    expect(spokenBriefing(stranger, summaryOf(stranger, 'speak_to_agent'), DEFAULT_PROMPTS, undefined)).toBe(
      'A call from the voice assistant. A caller who is not verified with a hidden number. Nothing has been done yet.',
    );
  });

  it('fits a header, and counts as people do', () => {
    const many = { ...FACTS, history: Array.from({ length: 60 }, () => FACTS.history[1]!) };
    const header = summaryHeader(many, summaryOf(many, 'speak_to_agent'));
    expect(header).toMatch(/^[ -~]{1,256}$/);
    expect([1, 2, 10, 11].map(ordinal)).toEqual(['first', 'second', 'tenth', 'number 11']);
  });
});

it('shows the dialogues of all calls one list of actions, by which they find what is compiled of it', async () => {
  const bank = actionsOf(loadActions('src/banking/actions/demo-bank.yaml'));
  const listIn = () =>
    new HandoverDesk({
      desk: { actions: bank } as ActionDesk,
      prompts: DEFAULT_PROMPTS,
      seek: async () => 'unavailable',
    }).actions;
  expect(listIn()).toBe(listIn());
  expect(listIn().map(({ name }) => name)).toEqual(bank.map(({ name }) => name));
  expect(listIn().find(({ name }) => name === AGENT_ACTION)!.description).toMatch(/^Connects the caller with a person/);
});
