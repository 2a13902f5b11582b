/** A person is free for this caller, until `release`. Releasing twice is releasing once. */
export interface Claim {
  readonly target: string;
  release(): void;
}

/** Whom a waiting caller would take, and how many calls each of them takes at once. */
export interface Wanted {
  readonly name: string;
  readonly calls: number;
}

interface Waiting {
  readonly wanted: readonly Wanted[];
  grant(claim: Claim | undefined): void;
}

/** A caller's place in line. */
export interface Ticket {
  /** From 1, among those of the same queue who wait. */
  readonly position: number;
  /** Told whenever the position changes. */
  onMoved: (() => void) | undefined;
  /** The first of these who is free, as soon as nobody who came before waits for them; undefined when `signal` aborts. */
  next(wanted: readonly Wanted[], signal: AbortSignal): Promise<Claim | undefined>;
  /** Idempotent. */
  leave(): void;
}

/**
 * Everybody who waits for a person, of all queues: who came first is served first. A person may serve several queues and
 * is called for one caller at a time (or as many as they take). In this process: another connector has a room of its own.
 */
export class WaitingRoom {
  readonly #tickets: PlaceInLine[] = [];
  /** Calls that each person has in hand. */
  readonly #busy = new Map<string, number>();

  /** undefined: the queue has no place left. */
  join(queue: string, places: number): Ticket | undefined {
    if (this.waiting(queue) >= places) return undefined;
    const ticket = new PlaceInLine(this, queue);
    this.#tickets.push(ticket);
    return ticket;
  }

  waiting(queue: string): number {
    return this.#tickets.filter((ticket) => ticket.queue === queue).length;
  }

  /** Calls with persons now; for tests and metrics. */
  get inHand(): number {
    let all = 0;
    for (const calls of this.#busy.values()) all += calls;
    return all;
  }

  positionOf(ticket: PlaceInLine): number {
    return this.#tickets.filter(({ queue }) => queue === ticket.queue).indexOf(ticket) + 1;
  }

  leave(ticket: PlaceInLine): void {
    const at = this.#tickets.indexOf(ticket);
    if (at === -1) return;
    this.#tickets.splice(at, 1);
    for (const behind of this.#tickets.slice(at)) if (behind.queue === ticket.queue) behind.onMoved?.();
    this.serve();
  }

  /** Gives whoever is free to the first who wants them. */
  serve(): void {
    for (const ticket of [...this.#tickets]) {
      const free = ticket.waiting?.wanted.find(({ name, calls }) => (this.#busy.get(name) ?? 0) < calls);
      if (free !== undefined) ticket.granted(this.#claim(free.name));
    }
  }

  #claim(target: string): Claim {
    this.#busy.set(target, (this.#busy.get(target) ?? 0) + 1);
    let held = true;
    return {
      target,
      release: () => {
        if (!held) return;
        held = false;
        const left = (this.#busy.get(target) ?? 1) - 1;
        if (left === 0) this.#busy.delete(target);
        else this.#busy.set(target, left);
        this.serve();
      },
    };
  }
}

class PlaceInLine implements Ticket {
  readonly queue: string;
  onMoved: (() => void) | undefined;
  waiting: Waiting | undefined;
  readonly #room: WaitingRoom;

  constructor(room: WaitingRoom, queue: string) {
    this.#room = room;
    this.queue = queue;
  }

  get position(): number {
    return this.#room.positionOf(this);
  }

  async next(wanted: readonly Wanted[], signal: AbortSignal): Promise<Claim | undefined> {
    if (signal.aborted || wanted.length === 0) return undefined;
    const { promise, resolve } = Promise.withResolvers<Claim | undefined>();
    const stop = () => this.granted(undefined);
    this.waiting = { wanted, grant: resolve };
    signal.addEventListener('abort', stop, { once: true });
    this.#room.serve();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  granted(claim: Claim | undefined): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.grant(claim);
  }

  leave(): void {
    this.granted(undefined);
    this.#room.leave(this);
  }
}
