import type { Timekeeper } from '../../core/alarm.ts';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Scribe } from '../../dialogue/speaking/voice.ts';
import type { Pcm } from '../../media/audio.ts';
import type { CodecName } from '../../media/codecs/codec.ts';
import { holdMusic } from '../../media/outbound/hold-music.ts';
import type { MediaEngine, MediaSession } from '../../media/ports.ts';
import type { Recognizer, SpeechHints } from '../../speech/ports.ts';
import { endOf, type Leg } from '../legs/call-leg.ts';
import type { Dialler } from '../legs/dialler.ts';
import { AgentHolds } from './agent-holds.ts';
import { Bridge } from './bridge.ts';
import { dialInto, type PartyToDial } from './dialling.ts';
import { KeyExchange } from './key-exchange.ts';
import type { Party } from './party.ts';
import { PartyEars } from './party-ears.ts';
import { mustMakeSense, type SupervisionMode, settledMode, speaksOut } from './supervision-mode.ts';

/** The bot's place beside the caller; see Conversation. */
export interface BotSeat {
  readonly suspended: boolean;
  suspend(): boolean;
  resume(words?: string): void;
  overhear(who: string, text: string): void;
}

/** What gives the caller back to the bot: keys an agent presses, or words in what an agent says. */
export interface RecallSigns {
  keys: string;
  words: string;
}

export interface CallPartiesOptions {
  /** The caller's leg. */
  caller: MediaSession;
  /** Its dialog, for keys that go by signalling. */
  callerLeg?: Leg | undefined;
  /** Undefined where no bot speaks. */
  bot: BotSeat | undefined;
  scribe: Scribe;
  media: MediaEngine;
  codecs?: readonly CodecName[] | undefined;
  /** Undefined: nobody can be called. */
  dialler: Dialler | undefined;
  recognizer: Recognizer;
  /** What agents are likely to say. */
  hints(): SpeechHints;
  recall: RecallSigns;
  /** The SIP messages with this Call-ID are the call's, too. */
  trace(sipCallId: string): void;
  time: Timekeeper;
  log: Logger;
}

/**
 * An agent does not speak with the caller any more: what the bot says first then (undefined: its usual words), or false
 * when the bot is not to speak, because the call is being ended.
 */
export type AgentLeft = (how: 'hung-up' | 'recalled' | 'given-away') => string | undefined | false;

/** Unless somebody says otherwise. */
export const MOST_HOLD_MS: Ms = 600_000;

/** The caller among them. */
export const MOST_PARTIES = 4;

/**
 * Who else is in a call, and who speaks with the caller. The bot does, until an agent is connected, a supervisor takes
 * over, or the caller is put on hold; when the last of these is over it does again. Whoever hangs up, nobody is left
 * behind: a party that is gone is out of the call, and when the call ends all parties are hung up.
 */
export class CallParties {
  readonly #o: CallPartiesOptions;
  readonly #bridge = new Bridge();
  /** All of them: being dialled, briefed, connected. */
  readonly #parties = new Set<Party>();
  readonly #agents = new Set<Party>();
  readonly #supervisors = new Map<Party, SupervisionMode>();
  readonly #ears: PartyEars;
  readonly #onLeft = new Map<Party, AgentLeft>();
  readonly #guests = new Map<Party, () => void>();
  readonly #keys: KeyExchange;
  readonly #holds: AgentHolds;
  /** What the caller waits with. */
  #waitSound: Pcm | undefined;
  /** Of that, what is being played. */
  #playing: Pcm | undefined;
  /** The call is being ended: the bot does not come back. */
  #silenced = false;
  #closed = false;
  /** Told of the caller's keys while the bot is suspended. */
  onCallerKey: ((key: string) => void) | undefined;

  constructor(options: CallPartiesOptions) {
    this.#o = options;
    const { caller: session, callerLeg: leg, recall, log } = options;
    const onWords = (agent: Party) => this.#recalled(agent, 'words');
    const onKeys = (agent: Party) => this.#recalled(agent, 'keys');
    this.#ears = new PartyEars({ ...options, recallWords: recall.words, onRecall: onWords });
    this.#holds = new AgentHolds({
      ...options,
      event: (type, data) => this.event(type, data),
      onChanged: () => this.#settle(),
      onTooLong: (agent) => this.#recalled(agent, 'hold'),
    });
    this.#keys = new KeyExchange({ caller: { session, leg }, recall: recall.keys, onRecall: onKeys, log });
  }

  /** With the caller. */
  get size(): number {
    return 1 + this.#parties.size;
  }

  get caller(): MediaSession {
    return this.#o.caller;
  }

  get holding(): boolean {
    return this.#waitSound !== undefined;
  }

  /** Those who speak with the caller. */
  get agents(): readonly Party[] {
    return [...this.#agents];
  }

  get supervisors(): readonly { party: Party; mode: SupervisionMode }[] {
    return [...this.#supervisors].map(([party, mode]) => ({ party, mode }));
  }

  /** The caller waits with this sound, and the bot is silent, until `unhold` or until an agent is connected. */
  hold(sound: Pcm): void {
    if (this.#closed) return;
    this.#waitSound = sound;
    this.#settle();
  }

  /** The bot goes on, with `words` first. */
  unhold(words?: string): void {
    this.#waitSound = undefined;
    this.#settle(words);
  }

  /**
   * Dials somebody, who then hears nobody yet: brief them, then `connect` or `supervise`. Aborting `signal`, or the end
   * of the call, gives up.
   * @throws Failure 503 when the call is full; otherwise as Dialler.dial
   */
  dial(request: PartyToDial, signal: AbortSignal): Promise<Party> {
    return dialInto(this, this.#o, request, signal);
  }

  /**
   * Makes a party one of this call; it hears nobody yet. `onCallOver`: it has a life of its own, and is told instead of
   * being hung up when the call ends.
   * @throws Failure 503 when the call is full or over
   */
  add(party: Party, onCallOver?: () => void): void {
    if (this.#closed || this.size >= MOST_PARTIES) {
      throw new Failure(this.#closed ? 'the call is over' : 'the call has as many parties as it can have', {
        code: this.#closed ? 'call-over' : 'call-full',
        blame: 'us',
        retryable: !this.#closed,
        sipStatus: 503,
      });
    }
    this.#parties.add(party);
    if (party.leg) this.trace(party.leg.sipCallId);
    if (onCallOver) this.#guests.set(party, onCallOver);
    const onDown = () => this.#remove(party, endOf(party.signal));
    party.signal.addEventListener('abort', onDown, { once: true });
    if (party.signal.aborted) onDown();
  }

  /**
   * The agent speaks with the caller, and the bot does not. `mostHoldMs`: so long may they put the caller on hold, then the
   * bot has them again. @throws Failure when the agent is gone
   */
  connect(party: Party, onLeft?: AgentLeft, mostHoldMs: Ms = MOST_HOLD_MS): void {
    this.#mustBeHere(party);
    this.#waitSound = undefined;
    this.#agents.add(party);
    if (onLeft) this.#onLeft.set(party, onLeft);
    this.#keys.add(party);
    this.#o.scribe.event('agent-connected', { party: party.id, name: party.name });
    this.#holds.add(party, mostHoldMs);
    this.#settle();
  }

  /** The agent speaks with nobody, and the caller waits with this sound; `connect` brings them together again. */
  park(party: Party, sound: Pcm): void {
    if (!this.#agents.delete(party)) return;
    this.#keys.remove(party);
    this.#holds.remove(party);
    this.#onLeft.delete(party);
    this.#waitSound = sound;
    this.#o.scribe.event('agent-parked', { party: party.id, name: party.name });
    this.#settle();
  }

  /** The agent is to be another call's, and is not hung up. */
  giveAway(party: Party): void {
    this.#remove(party, { by: 'us', how: 'given-away' });
  }

  /** Somebody of another call is to be of this one; hears nobody yet. @throws Failure 503; they are hung up then */
  async adopt(party: Party): Promise<void> {
    try {
      this.add(party);
      await this.#o.media.bring(party.session, this.#o.caller);
    } catch (error) {
      void party.hangup();
      throw error;
    }
  }

  /** A key of the caller's, while the bot is suspended; when it is let go, those who speak with them get it. */
  callerKeyDown(key: string): void {
    this.#keys.callerDown(key);
    this.onCallerKey?.(key);
  }

  callerKeyUp(key: string, durationMs: number): void {
    this.#keys.callerUp(key, durationMs);
  }

  /** The SIP messages with this Call-ID are the call's, too. */
  trace(sipCallId: string): void {
    this.#o.trace(sipCallId);
  }

  /** A line in the call's record. */
  event(type: string, data: Record<string, unknown>): void {
    this.#o.scribe.event(type, data);
  }

  /** @throws Failure 409 when a supervisor could not take part in this mode now */
  maySupervise(mode: SupervisionMode): void {
    mustMakeSense(mode, this.#agents.size > 0);
  }

  /** A supervisor takes part, or takes part otherwise. @throws Failure when that mode makes no sense now */
  supervise(party: Party, mode: SupervisionMode): void {
    this.#mustBeHere(party);
    this.maySupervise(mode);
    const before = this.#supervisors.get(party);
    if (before === mode) return;
    this.#supervisors.set(party, mode);
    this.#settle();
    const what = before === undefined ? 'supervision-started' : 'supervision-changed';
    this.#o.scribe.event(what, { party: party.id, supervisor: party.name, mode });
  }

  /** Takes a party out of the call without hanging up. `words`: what the bot goes on with, should it be its turn. */
  release(party: Party, words?: string): void {
    this.#remove(party, { by: 'us', how: 'released' }, words);
  }

  /** The bot speaks with the caller again; agents are hung up, supervisors listen on. */
  recall(words?: string): void {
    const agents = [...this.#agents];
    for (const [party, mode] of this.#supervisors) if (mode === 'take-over') this.#supervisors.set(party, 'listen');
    this.#waitSound = undefined;
    for (const agent of agents) this.#remove(agent, { by: 'us', how: 'recalled' }, words);
    for (const agent of agents) void agent.hangup();
    this.#settle(words);
  }

  /** The call is over: all are hung up. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.onCallerKey = undefined;
    const parties = [...this.#parties];
    const guests = new Map(this.#guests);
    for (const party of parties) this.#remove(party, { by: 'us', how: 'call-over' });
    // Nobody of a call that is over is heard any more.
    for (const party of guests.keys()) if (party.up) party.session.hear([]);
    await Promise.all(parties.filter((party) => !guests.has(party)).map((party) => party.hangup()));
    for (const [party, onCallOver] of guests) if (parties.includes(party)) onCallOver();
  }

  #mustBeHere(party: Party): void {
    if (!this.#parties.has(party) || !party.up) {
      throw new Failure('the party is not in the call', { code: 'party-gone', blame: 'network', sipStatus: 480 });
    }
  }

  #remove(party: Party, end: { by: string; how: string }, words?: string): void {
    if (!this.#parties.delete(party)) return;
    this.#guests.delete(party);
    const mode = this.#supervisors.get(party);
    const wasAgent = this.#agents.delete(party);
    this.#keys.remove(party);
    this.#holds.remove(party);
    this.#supervisors.delete(party);
    const facts = { party: party.id, by: end.by, how: end.how };
    if (wasAgent) this.#o.scribe.event('agent-left', { ...facts, name: party.name });
    else if (mode) this.#o.scribe.event('supervision-ended', { ...facts, supervisor: party.name, mode });
    else this.#o.scribe.event('party-left', { ...facts, role: party.role });
    const after = wasAgent ? this.#onLeft.get(party)?.(leaving(end.how)) : undefined;
    this.#onLeft.delete(party);
    this.#silenced ||= after === false;
    this.#settle(words ?? (after || undefined));
  }

  #recalled(party: Party, how: 'keys' | 'words' | 'hold'): void {
    if (!this.#agents.has(party)) return;
    this.#o.scribe.event('bot-recalled', { party: party.id, name: party.name, how });
    this.recall();
  }

  /** Brings about what follows from who is here: does the bot speak, who hears whom, who is taken down. */
  #settle(words?: string): void {
    const { bot, scribe } = this.#o;
    const agents = this.#agents.size > 0;
    for (const [party, mode] of this.#supervisors) this.#supervisors.set(party, settledMode(mode, agents));
    const modes = [...this.#supervisors.values()];
    const botSpeaks = !agents && !this.holding && !this.#silenced && !modes.includes('take-over');
    // First the bot falls silent, then people are heard; and the other way round.
    if (!botSpeaks && bot?.suspend()) scribe.event('bot-suspended');
    if (!this.#closed) {
      this.#bridge.seat({
        caller: this.#o.caller,
        agents: [...this.#agents].map(({ session }) => session),
        supervisors: [...this.#supervisors].map(([{ session }, mode]) => ({ session, mode })),
      });
    }
    // Nobody has to speak against the music.
    const waiting = this.#waitSound ?? (this.#holds.quiet ? holdMusic() : undefined);
    const sound = modes.some(speaksOut) ? undefined : waiting;
    if (sound !== this.#playing && !this.#closed) this.#o.caller.loop(sound);
    this.#playing = sound;
    this.#ears.listenTo(
      new Set([
        ...this.#agents,
        ...[...this.#supervisors].flatMap(([party, mode]) => (speaksOut(mode) ? [party] : [])),
      ]),
    );
    if (botSpeaks && !this.#closed && bot?.suspended) {
      scribe.event('bot-resumed');
      bot.resume(words);
    }
  }
}

function leaving(how: string): Parameters<AgentLeft>[0] {
  return how === 'recalled' || how === 'given-away' ? how : 'hung-up';
}
