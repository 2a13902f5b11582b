import type { Ms } from '../../core/clock.ts';
import type { ListenMessage } from '../../media/ports.ts';
import type { Backlog, SegmentOwner, WaitingSegment } from './backlog.ts';
import { SEGMENT_LIMIT } from './listening.ts';

/** Of the silence behind the last word so much is listened to: a fifth of what people say to each other is the rest. */
const TAIL_MS: Ms = 250;
/** Silence is what is this much less than the loudest of the segment. */
const SILENCE = 1 / 8;

export interface LaterListeningOptions {
  backlog: Backlog;
  /** Takes one whole segment, message by message; what it says to it is the result. */
  listening: { onMessage(message: ListenMessage): void };
  /** There was no time for this segment. */
  onLost(segment: number): void;
}

/**
 * A stream of which nobody waits for the words: what is said is kept until the segment is over and then goes through
 * Listening as a whole, when its turn comes. So it holds no decoder while somebody speaks, and fifty pairs of people who
 * talk with each other need one. A segment whose end never came counts as ended where the next one begins.
 */
export class LaterListening implements SegmentOwner {
  readonly #options: LaterListeningOptions;
  #messages: ListenMessage[] = [];
  #samples = 0;
  #closed = false;

  constructor(options: LaterListeningOptions) {
    this.#options = options;
  }

  onMessage(message: ListenMessage): void {
    if (this.#closed) return;
    if (message.type === 'segment-start') this.#end();
    else if (message.segment !== this.#messages[0]?.segment) return;
    if (message.type === 'audio') {
      // Listening takes no more either.
      if (this.#samples + message.pcm.length > SEGMENT_LIMIT) return;
      this.#samples += message.pcm.length;
    }
    this.#messages.push(message);
    if (message.type === 'segment-end') this.#queue();
  }

  /** No more audio comes: a segment that is not over goes on elsewhere. */
  leave(): void {
    this.#messages = [];
    this.#samples = 0;
  }

  /** Nobody wants to know any more. */
  close(): void {
    this.#closed = true;
    this.#messages = [];
    this.#options.backlog.drop(this);
  }

  listen({ messages }: WaitingSegment): void {
    for (const message of messages) this.#options.listening.onMessage(message);
  }

  lose({ segment }: WaitingSegment): void {
    this.#options.onLost(segment);
  }

  #end(): void {
    const last = this.#messages.at(-1);
    if (last === undefined) return;
    this.#messages.push({ type: 'segment-end', segment: last.segment, at: last.at });
    this.#queue();
  }

  #queue(): void {
    const messages = withoutSilence(this.#messages);
    const samples = messages.reduce((sum, message) => sum + (message.type === 'audio' ? message.pcm.length : 0), 0);
    this.#messages = [];
    this.#samples = 0;
    this.#options.backlog.add({ owner: this, segment: messages[0]!.segment, messages, samples });
  }
}

/** Drops what follows the last pause by more than a moment, if it is silent: the speaker may have gone on after it. */
function withoutSilence(messages: ListenMessage[]): ListenMessage[] {
  const pause = messages.findLast(({ type }) => type === 'pause');
  if (pause === undefined) return messages;
  const behind = (message: ListenMessage) => message.type === 'audio' && message.at > pause.at + TAIL_MS;
  const silent = loudest(messages.filter(behind)) < SILENCE * loudest(messages.filter((message) => !behind(message)));
  return silent ? messages.filter((message) => !behind(message)) : messages;
}

function loudest(messages: readonly ListenMessage[]): number {
  let most = 0;
  for (const message of messages) {
    if (message.type !== 'audio') continue;
    for (const sample of message.pcm) most = Math.max(most, Math.abs(sample));
  }
  return most;
}
