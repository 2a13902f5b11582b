import type { Ms } from '../../core/clock.ts';
import type { SupervisionMode } from '../people/supervision-mode.ts';

/** A place in a call that is kept for somebody who is on the way: one call, taken once. */
export interface Invitation {
  readonly supervisionId: string;
  readonly sessionId: string;
  readonly name: string;
  readonly since: Date;
  readonly mode: SupervisionMode;
}

/** A browser has its microphone already when it asks; what remains is a WebSocket and an INVITE. */
const KEPT_MS: Ms = 30_000;

/** Supervisors who were asked to come, until they do or time is up. Pure: time is passed in. */
export class Invitations {
  readonly #kept = new Map<string, { invitation: Invitation; until: Ms }>();

  add(invitation: Invitation, now: Ms): void {
    this.#kept.set(invitation.supervisionId, { invitation, until: now + KEPT_MS });
  }

  /** Those who may still come. */
  open(now: Ms): Invitation[] {
    for (const [id, { until }] of this.#kept) if (until <= now) this.#kept.delete(id);
    return [...this.#kept.values()].map(({ invitation }) => invitation);
  }

  /** Undefined: nobody was asked under this id (to this call), or they were and came, or it is too late. */
  take(supervisionId: string, now: Ms, sessionId?: string): Invitation | undefined {
    const found = this.open(now).find(
      (one) => one.supervisionId === supervisionId && (sessionId ?? one.sessionId) === one.sessionId,
    );
    if (found) this.#kept.delete(supervisionId);
    return found;
  }
}
