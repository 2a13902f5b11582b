import { type Ms, monotonicNow } from '../../core/clock.ts';
import { asFailure, Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { CodecName } from '../../media/codecs/codec.ts';
import type { MediaEngine, MediaEvent, MediaSession } from '../../media/ports.ts';
import { endOf, type Leg, type LegEnd } from '../legs/call-leg.ts';
import type { CallLine, LineFacts } from '../legs/call-line.ts';
import type { MediaAddress } from '../legs/dialler.ts';
import { LegKeys } from '../legs/leg-keys.ts';
import { LegMedia } from '../legs/leg-media.ts';

export type PartyRole = 'agent' | 'supervisor';

export interface PartyOptions {
  role: PartyRole;
  /** For the record: who it is, or the number that was dialled. */
  name: string;
  line: CallLine;
  media: MediaEngine;
  /** The call it is to be part of, where that is known; see MediaSessionOptions.beside. */
  beside?: MediaSession | undefined;
  codecs?: readonly CodecName[] | undefined;
  log: Logger;
  /** Before its INVITE goes out; again for each gateway that is tried. */
  onDialling?(sipCallId: string): void;
  /** What its telephone says before it is answered: 180, 183 ... */
  onProgress?: ((status: number) => void) | undefined;
}

/** A browser without a sign of life for so long has crashed or lost its network: the caller, who hears nothing, is given back. */
const CONSENT_TIMEOUT_MS: Ms = 8000;

/**
 * Somebody besides the caller: an agent or a supervisor, with a leg and audio of their own. Moves:
 *
 *     new -> connecting -> up -> down
 *     new -> down, connecting -> down      (not answered, given up)
 *
 * However it comes to be down, its leg is hung up and its audio closed, once.
 */
export class Party {
  readonly role: PartyRole;
  /** For the record; of a supervisor who dialled in, known when the code is. */
  name: string;
  readonly #options: PartyOptions;
  readonly #down = new AbortController();
  readonly #listeners = new Set<(event: MediaEvent) => void>();
  #state: 'new' | 'connecting' | 'up' | 'down' = 'new';
  #media: LegMedia | undefined;
  #held = false;
  #onHeld: ((held: boolean) => void) | undefined;
  #onKey: ((key: string) => void) | undefined;
  #onKeyUp: ((key: string, durationMs: number) => void) | undefined;
  readonly #keys = new LegKeys({
    down: ({ digit }) => this.#onKey?.(digit),
    up: (digit, durationMs) => this.#onKeyUp?.(digit, durationMs),
  });
  readonly #closed = Promise.withResolvers<void>();

  constructor(options: PartyOptions) {
    this.#options = options;
    this.role = options.role;
    this.name = options.name;
  }

  get id(): string {
    return this.#options.line.id;
  }

  /** Its dialog, once there is one. */
  get leg(): Leg | undefined {
    return this.#options.line.leg;
  }

  get up(): boolean {
    return this.#state === 'up';
  }

  /** Aborts when it is down; `reason` is a LegEnd. */
  get signal(): AbortSignal {
    return this.#down.signal;
  }

  /** Resolves when its telephone is free again: the leg is hung up, confirmed or given up, and its audio closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** @throws TypeError before it is connected */
  get session(): MediaSession {
    if (this.#media === undefined) throw new TypeError('the party has no audio yet');
    return this.#media.session;
  }

  /**
   * Answers its call, or dials it. Resolves when it hears and is heard, by nobody yet. Aborting `unwanted` gives up.
   * @throws Failure when that does not come about; it is down then
   */
  async connect(unwanted: AbortSignal): Promise<LineFacts> {
    const { line } = this.#options;
    this.#state = 'connecting';
    const onLineDown = () => this.#end(endOf(line.signal));
    line.signal.addEventListener('abort', onLineDown, { once: true });
    this.#down.signal.addEventListener('abort', () => line.signal.removeEventListener('abort', onLineDown));
    try {
      line.onDtmf((key, durationMs) => this.#keys.bySignalling(key, durationMs, monotonicNow()));
      const facts = await line.connect(
        {
          open: (place) => this.#open(place),
          beforeAudio: async () => undefined,
          onProgress: ({ status }) => this.#options.onProgress?.(status),
        },
        unwanted,
      );
      if (line.signal.aborted || unwanted.aborted || this.#media === undefined) throw gone();
      this.#state = 'up';
      return facts;
    } catch (error) {
      const failure = asFailure(error);
      if (!line.signal.aborted) {
        await line.refuse({ status: failure.sipStatus }).catch(() => undefined);
      }
      await this.hangup();
      throw failure;
    }
  }

  /** Its telephone has put us on hold: nothing of ours is wanted there. */
  get held(): boolean {
    return this.#held;
  }

  /** Told when that changes; one listener, the last. */
  onHeld(handler: ((held: boolean) => void) | undefined): void {
    this.#onHeld = handler;
  }

  /** Keys it presses; one listener, the last. */
  onKey(handler: ((key: string) => void) | undefined): void {
    this.#onKey = handler;
  }

  /** Keys it has let go, and how long they were pressed, as far as they are not in the audio; the last listener. */
  onKeyUp(handler: ((key: string, durationMs: number) => void) | undefined): void {
    this.#onKeyUp = handler;
  }

  /** Media events of its leg, until the returned function is called. */
  onMedia(handler: (event: MediaEvent) => void): () => void {
    this.#listeners.add(handler);
    return () => this.#listeners.delete(handler);
  }

  /** Idempotent; resolves when the leg and its audio are closed. */
  hangup(): Promise<void> {
    this.#end({ by: 'us', how: 'bye' });
    return this.#closed.promise;
  }

  #end(end: LegEnd): void {
    // Hanging up takes the line down, which comes back here.
    if (this.#state === 'down') return;
    this.#state = 'down';
    void this.#close().then(this.#closed.resolve);
    this.#down.abort(end);
  }

  async #close(): Promise<void> {
    const { line, log } = this.#options;
    // Both at once: audio must not wait for a peer that does not answer our BYE.
    await Promise.all([
      this.#media?.session.close().catch((error) => log.error({ err: error }, 'media of a party did not close')),
      line.hangup().catch((error) => log.warn({ err: error }, 'BYE of a party not confirmed')),
    ]);
    this.#listeners.clear();
    this.#onHeld = undefined;
    this.#onKey = undefined;
    this.#onKeyUp = undefined;
  }

  async #open(place: MediaAddress): Promise<LegMedia | undefined> {
    if (this.#state === 'down') return undefined;
    this.#options.onDialling?.(place.sipCallId);
    // Another place is tried: what was made for the one before has heard nothing.
    await this.#media?.session.close();
    const { media, beside, codecs } = this.#options;
    const opened = await LegMedia.open({
      media,
      call: this.id,
      place,
      codecs,
      beside,
      consentTimeoutMs: CONSENT_TIMEOUT_MS,
      onEvent: (event) => this.#onMedia(event),
      onChanged: ({ send }) => {
        this.#held = !send;
        this.#onHeld?.(this.#held);
      },
    });
    if (this.signal.aborted) {
      await opened.session.close();
      return undefined;
    }
    this.#media = opened;
    return opened;
  }

  #onMedia(event: MediaEvent): void {
    if (event.type === 'dtmf' || event.type === 'dtmf-end') this.#keys.byMedia(event);
    for (const listener of this.#listeners) listener(event);
    // Who holds need not send; how long they may hold is not known here.
    if (event.type === 'rtp-timeout' && this.up && !this.#held) this.#end({ by: 'network', how: 'transport' });
    if (event.type === 'media-failed') this.#end({ by: 'us', how: 'transport' });
  }
}

function gone(): Failure {
  return new Failure('the party is gone', { code: 'party-gone', blame: 'network', sipStatus: 487 });
}
