/** What operators see of admission and trunks, and the levers they have. Front ends that have a gate implement it. */
export interface AdmissionDesk {
  status(): AdmissionStatus;
  /** The emergency stop: no new calls until it is taken back. Running ones go on. */
  stop(stopped: boolean): void;
  trunks(): { config: ConfigState; trunks: TrunkStatus[] };
  /** Reads the configuration again. True when what the files say now is in force. */
  reload(): boolean;
  blocked(): BlockedSource[];
  /** False when it was not blocked. */
  unblock(source: string): boolean;
}

/** How busy the process is. */
export interface LoadSample {
  /** Of the cores it may use, 0 to 1. */
  cpu: number;
  /** Of the memory it may use, 0 to 1. */
  memory: number;
  /** How late timers of the main thread fire, the worst of a hundred. */
  loopDelayMs: number;
  /** From when a call was begun to our answer, in the middle of all calls; 0 while there are few. */
  setupMs: number;
  /** How long requests have waited until they were read. */
  receiveMs: number;
}

export interface AdmissionStatus {
  state: 'open' | 'stopped' | 'draining' | 'overloaded';
  /** What is exhausted while overloaded. */
  overload: keyof LoadSample | undefined;
  /** How many of the new calls are taken, as far as load decides it: 1 all, 0 none. */
  share: number;
  load: LoadSample;
  /** How many new calls are taken, in a second and at once; undefined: as many as come. */
  bounds: { perSecond: number | undefined; atOnce: number | undefined };
  calls: number;
  maxCalls: number;
  /** Calls that wait until there is time for them. */
  waiting: number;
  blockedSources: number;
  /** INVITEs let in, and requests refused or left without an answer by reason, since the start. */
  accepted: number;
  refused: Record<string, number>;
}

/** A trunk as operators see it. */
export interface TrunkStatus {
  name: string;
  calls: number;
  /** Since the start. */
  accepted: number;
  refused: number;
  limits: { calls?: number | undefined; callsPerSecond?: number | undefined };
  /** How its peers are known. */
  knownBy: ('address' | 'digest' | 'certificate' | 'edge')[];
  trustIdentity: boolean;
}

export interface ConfigState {
  version: string;
  loadedAt: Date;
  /** Why the newest edit is not in force; the configuration before it is. */
  error: string | undefined;
}

/** A source that is answered with silence. */
export interface BlockedSource {
  /** IPv4 address, or IPv6 /64. */
  source: string;
  reason: string;
  since: Date;
  until: Date;
  /** Requests it has sent since. */
  dropped: number;
}
