import type { GatewayCount } from './dial-counter.ts';

/** What operators see of the ways out and of the places where we are registered. */
export interface OutboundDesk {
  /** With what this connector does. */
  gateways(): GatewayStatus[];
  /** What all connectors do, by gateway; undefined: nobody knows at the moment. */
  counts(): Promise<ReadonlyMap<string, GatewayCount> | undefined>;
  registrations(): RegistrationStatus[];
}

export interface GatewayStatus {
  name: string;
  /** `resting`: it has asked for a pause; `suspect`: it failed a moment ago; `down`: it answers no OPTIONS. */
  state: 'up' | 'resting' | 'suspect' | 'down';
  /** Dialled or up. */
  calls: number;
  /** Dialled in the last 24 hours. */
  callsToday: number;
  limits: { calls: number; callsPerSecond: number; callsPerDay: number };
  /** How calls ended before an answer (DialOutcome), or `answered`; since the start. */
  outcomes: Record<string, number>;
  lastFailure: { reason: string; at: Date } | undefined;
}

export interface RegistrationStatus {
  name: string;
  /** Its URI. */
  registrar: string;
  /** The address of record. */
  aor: string;
  /** Calls can come in. */
  registered: boolean;
  state: 'idle' | 'asking' | 'registered' | 'waiting' | 'leaving' | 'gone';
  expiresAt: Date | undefined;
  /** Why the last REGISTER failed; undefined when it did not. */
  lastFailure: string | undefined;
}
