import { z } from 'zod';
import type { ConnectorApi } from './api.ts';

/** Only what the caller's side needs of the API's answers; anything more is let through unread. */
const Utterance = z.object({
  utteranceId: z.string(),
  sequence: z.number().optional(),
  speaker: z.string(),
  text: z.string(),
  heard: z.string().nullish(),
  interrupted: z.boolean().nullish(),
  startedAt: z.string(),
  endedAt: z.string().nullish(),
  confidence: z.number().nullish(),
  timings: z.record(z.string(), z.union([z.number(), z.string()]).nullish()).nullish(),
});
export type HeardUtterance = z.infer<typeof Utterance>;

const Transaction = z.object({
  transactionId: z.string(),
  transactionType: z.string(),
  authenticationStatus: z.string(),
  outcome: z.string().nullish(),
});
export type SeenTransaction = z.infer<typeof Transaction>;

const Session = z.object({
  sessionId: z.string(),
  sipCallId: z.string(),
  callStartTime: z.string().optional(),
  status: z.string().optional(),
  endCause: z.string().nullish(),
});
export type SeenSession = z.infer<typeof Session>;

/** The session's fields stand beside the lists, or under `session`. */
const Detail = z.object({
  session: Session.optional(),
  utterances: z.array(Utterance),
  transactions: z.array(Transaction),
});
const Page = z.object({ calls: z.array(Session) });
const Live = z.object({
  type: z.string().optional(),
  sessionId: z.string().optional(),
  sipCallId: z.string().optional(),
  session: Session.optional(),
  active: z.array(Session).optional(),
  utterance: Utterance.extend({ sessionId: z.string().optional() }).optional(),
});

/** What the connector says about one call: both sides in words. */
export interface CallTranscript {
  readonly session: SeenSession | undefined;
  /** In order of first appearance. */
  readonly utterances: readonly HeardUtterance[];
  /** Reads the stored call: utterances, and the banking transactions, which are not streamed. */
  refresh(): Promise<readonly SeenTransaction[]>;
}

class FollowedCall implements CallTranscript {
  session: SeenSession | undefined;
  readonly rows = new Map<string, HeardUtterance>();
  readonly #refresh: (call: FollowedCall) => Promise<readonly SeenTransaction[]>;
  readonly onUtterance: (row: HeardUtterance, before: HeardUtterance | undefined) => void;

  constructor(
    refresh: (call: FollowedCall) => Promise<readonly SeenTransaction[]>,
    onUtterance: (row: HeardUtterance, before: HeardUtterance | undefined) => void,
  ) {
    this.#refresh = refresh;
    this.onUtterance = onUtterance;
  }

  get utterances(): readonly HeardUtterance[] {
    return [...this.rows.values()];
  }

  refresh(): Promise<readonly SeenTransaction[]> {
    return this.#refresh(this);
  }

  take(row: HeardUtterance): void {
    const before = this.rows.get(row.utteranceId);
    this.rows.set(row.utteranceId, row);
    this.onUtterance(row, before);
  }
}

/**
 * Follows calls live through one event stream, opened before the first call so that nothing is missed. Calls are
 * told apart by their SIP Call-ID, the only name both sides know.
 */
export class Transcripts {
  readonly #api: ConnectorApi;
  readonly #stop = new AbortController();
  readonly #bySipCallId = new Map<string, FollowedCall>();
  readonly #bySessionId = new Map<string, FollowedCall>();
  /** Sessions heard of before anybody asked for them. */
  readonly #known = new Map<string, SeenSession>();
  #streaming: Promise<void> | undefined;

  private constructor(api: ConnectorApi) {
    this.#api = api;
  }

  /** Rejects with Failure when the API is away or refuses the token. */
  static async open(api: ConnectorApi): Promise<Transcripts> {
    await api.get('/api/v1/calls?limit=1');
    const transcripts = new Transcripts(api);
    transcripts.#streaming = transcripts.#stream();
    return transcripts;
  }

  follow(
    sipCallId: string,
    onUtterance: (row: HeardUtterance, before: HeardUtterance | undefined) => void = () => {},
  ): CallTranscript {
    const call = new FollowedCall((followed) => this.#read(sipCallId, followed), onUtterance);
    this.#bySipCallId.set(sipCallId, call);
    const known = this.#known.get(sipCallId);
    if (known) this.#session(known);
    return call;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#streaming;
  }

  async #stream(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for await (const { event, data } of this.#api.events('/api/v1/events', signal)) this.#take(event, data);
      } catch {
        // Away for a moment: what was missed is read again below.
      }
      if (signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, 500).unref());
      await this.#readAll();
    }
  }

  #take(event: string, data: unknown): void {
    const parsed = Live.safeParse(data);
    if (!parsed.success) return;
    const live = parsed.data;
    for (const session of live.active ?? []) this.#session(session);
    if (live.session) this.#session(live.session);
    else if (live.sessionId !== undefined && live.sipCallId !== undefined) {
      const session = Session.safeParse(data);
      if (session.success) this.#session(session.data);
    }
    if (live.utterance) {
      const sessionId = live.sessionId ?? live.utterance.sessionId;
      if (sessionId !== undefined) this.#bySessionId.get(sessionId)?.take(live.utterance);
    }
    if (event === 'missed' || live.type === 'missed') void this.#readAll();
  }

  #session(session: SeenSession): void {
    if (this.#known.size > 5000) this.#known.clear();
    this.#known.set(session.sipCallId, session);
    const call = this.#bySipCallId.get(session.sipCallId);
    if (!call) return;
    call.session = session;
    this.#bySessionId.set(session.sessionId, call);
  }

  async #readAll(): Promise<void> {
    for (const [sipCallId, call] of this.#bySipCallId) await this.#read(sipCallId, call).catch(() => {});
  }

  async #read(sipCallId: string, call: FollowedCall): Promise<readonly SeenTransaction[]> {
    if (!call.session) {
      const page = Page.parse(await this.#api.get('/api/v1/calls?limit=100', this.#stop.signal));
      const found = page.calls.find((session) => session.sipCallId === sipCallId);
      if (!found) return [];
      this.#session(found);
    }
    const raw = await this.#api.get(`/api/v1/calls/${call.session!.sessionId}`, this.#stop.signal);
    const detail = Detail.parse(raw);
    const session = detail.session ?? Session.safeParse(raw).data;
    if (session) this.#session(session);
    for (const row of detail.utterances) {
      if (JSON.stringify(call.rows.get(row.utteranceId)) !== JSON.stringify(row)) call.take(row);
    }
    return detail.transactions;
  }
}
