import type {
  AdmissionDesk,
  AdmissionStatus,
  BlockedSource,
  ConfigState,
  LoadSample,
  TrunkStatus,
} from '../../call/admission.ts';
import type { Clock, Ms } from '../../core/clock.ts';
import type { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { DigestGuard } from '../../sip/auth/digest-guard.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import type { IncomingInvite } from '../../sip/session/incoming-invite.ts';
import type { Verdict } from '../../sip/transactions/transaction-layer.ts';
import type { Flow } from '../../sip/transport/flow.ts';
import type { Account } from '../outbound/account.ts';
import type { BrowserPhones, GrantedPhone } from '../trunks/browser-phones.ts';
import type { SipConfig } from '../trunks/sip-config.ts';
import { TrunkDesk } from '../trunks/trunk-desk.ts';
import { AdmissionCounters } from './counters.ts';
import { type Admitted, Gate } from './gate.ts';
import { LoadGuard, type LoadLimits, type Overload } from './load-guard.ts';
import { LoadProbe } from './load-probe.ts';
import { Sources } from './sources.ts';
import { WaitingLine } from './waiting-line.ts';

const SAMPLE_EVERY_MS = 500;
/** How often those that wait are looked at. */
const SERVE_EVERY_MS = 20;

/** A call that was taken. */
export interface TakenCall extends Admitted {
  /** It has been set up: this is our answer. */
  answered(): void;
}

export interface AdmissionOptions {
  config: { readonly current: SipConfig; readonly state: ConfigState; reload(): boolean };
  /** Calls at the same time, all trunks together. */
  maxCalls: number;
  load: LoadLimits;
  /** How long what comes has waited until we read it. */
  receiveDelayMs: () => Ms;
  /** The account whose registration has brought this request to us. */
  registered?: ((request: SipRequest, flow: Flow) => Account | undefined) | undefined;
  /** Seconds a refused caller is told to wait at least. */
  retryAfterSeconds: number;
  /** Phones in browsers; none when undefined. */
  phones?: BrowserPhones | undefined;
  clock: Clock;
  log: Logger;
}

/** Who may call and whether there is room: the gate with its tables, the load it watches, and the levers of operators. */
export class Admission implements AdmissionDesk {
  readonly #options: AdmissionOptions;
  readonly #gate: Gate;
  readonly #sources = new Sources();
  readonly #trunks = new TrunkDesk();
  readonly #counters = new AdmissionCounters();
  readonly #guard: LoadGuard;
  readonly #probe = new LoadProbe();
  readonly #timer: NodeJS.Timeout;
  readonly #line: WaitingLine;
  /** While somebody waits. */
  #serving: NodeJS.Timeout | undefined;
  #serveNext: NodeJS.Immediate | undefined;
  #load: LoadSample = { cpu: 0, memory: 0, loopDelayMs: 0, setupMs: 0, receiveMs: 0 };
  #calls = 0;
  #stopped = false;
  #draining = false;

  constructor(options: AdmissionOptions) {
    const { config, retryAfterSeconds, clock, log } = options;
    this.#options = options;
    this.#line = new WaitingLine(options.maxCalls);
    this.#guard = new LoadGuard(options.load, clock.now());
    this.#gate = new Gate({
      config: () => config.current,
      registered: options.registered,
      guard: new DigestGuard(),
      phones: options.phones,
      sources: this.#sources,
      trunks: this.#trunks,
      counters: this.#counters,
      closed: () => this.#closed(),
      shed: (now) => this.#guard.refuses(this.#options.receiveDelayMs(), now, this.#line.length > 0),
      mayWait: (because, patience) =>
        because !== 'memory' &&
        !this.#line.full &&
        this.#guard.mayWait(this.#line.length, patience, this.#options.receiveDelayMs()),
      hasRoom: () => this.#calls < options.maxCalls,
      retryAfterSeconds,
      clock,
      log,
    });
    this.#timer = setInterval(() => this.#watchLoad(), SAMPLE_EVERY_MS);
    this.#timer.unref();
  }

  judge(request: SipRequest, flow: Flow, known: boolean): Verdict {
    return this.#gate.judge(request, flow, known);
  }

  /** See Gate.registering. */
  registering(request: SipRequest): GrantedPhone | undefined {
    return this.#gate.registering(request);
  }

  /** May this address open a connection? Not while it is blocked. */
  welcome(address: string): boolean {
    return this.#gate.welcome(address);
  }

  judgeMalformed(error: Failure, flow: Flow): 'answer' | 'drop' {
    return this.#gate.judgeMalformed(error, flow);
  }

  /**
   * True when the call of an INVITE that passed has to wait for its turn: then `begin` is called, or `refuse` when it does not
   * come in time; neither when the caller hangs up before.
   */
  waits(invite: IncomingInvite, begin: () => void, refuse: () => void): boolean {
    const waitMs = this.#gate.admitted(invite.request)?.waitMs;
    if (waitMs === undefined) return false;
    const tooLong = () => {
      this.#counters.refused(this.#guard.overload ?? 'setupMs');
      refuse();
    };
    // Counted from when it was sent.
    const until = this.#options.clock.now() + waitMs - this.#options.receiveDelayMs();
    this.#line.join({ begin, refuse: tooLong, signal: invite.signal }, until);
    this.#serving ??= setInterval(() => this.#serveLine(), SERVE_EVERY_MS);
    return true;
  }

  /** Takes the call of an INVITE that passed, until it is over; undefined when others were faster: refuse it with 503. */
  take(invite: IncomingInvite): TakenCall | undefined {
    const admitted = this.#gate.admitted(invite.request);
    if (admitted === undefined || !this.#gate.stillFits(admitted)) return undefined;
    const end = this.#trunks.begin(admitted.trunk.name);
    this.#calls++;
    const { clock } = this.#options;
    const begun = clock.now();
    const setUp = this.#guard.begins(begun);
    const over = () => {
      this.#calls--;
      setUp();
      end();
    };
    if (invite.signal.aborted) over();
    else invite.signal.addEventListener('abort', over, { once: true });
    const answered = () => {
      setUp();
      this.#probe.setUp(clock.now() - begun);
      // Whose place it had begins now, and not with the next look at the line.
      if (this.#line.length > 0) this.#serveNext ??= setImmediate(() => this.#serveLine());
    };
    return { ...admitted, answered };
  }

  /** From now on every new call is refused with 503, for good. */
  drain(): void {
    this.#draining = true;
    this.#line.dismiss();
  }

  /** The emergency stop: no new calls until it is taken back. Running ones go on. */
  stop(stopped: boolean): void {
    if (stopped === this.#stopped) return;
    this.#stopped = stopped;
    this.#options.log.warn({ stopped }, stopped ? 'emergency stop: no new calls' : 'emergency stop taken back');
  }

  status(): AdmissionStatus {
    const { overload, share } = this.#guard;
    const busy = overload === undefined ? 'open' : 'overloaded';
    return {
      state: this.#draining ? 'draining' : this.#stopped ? 'stopped' : busy,
      overload,
      share,
      load: this.#load,
      bounds: this.#guard.bounds,
      calls: this.#calls,
      maxCalls: this.#options.maxCalls,
      waiting: this.#line.length,
      blockedSources: this.blocked().length,
      ...this.#counters.read(),
    };
  }

  trunks(): { config: ConfigState; trunks: TrunkStatus[] } {
    const { config } = this.#options;
    return { config: config.state, trunks: this.#trunks.status(config.current) };
  }

  /** True when what the files say now is in force. */
  reload(): boolean {
    return this.#options.config.reload();
  }

  blocked(): BlockedSource[] {
    return this.#sources.blocked(this.#options.clock.now());
  }

  unblock(source: string): boolean {
    return this.#sources.unblock(source);
  }

  close(): void {
    clearInterval(this.#timer);
    clearInterval(this.#serving);
    clearImmediate(this.#serveNext);
    this.#line.dismiss();
    this.#probe.close();
  }

  #closed(): 'draining' | 'stopped' | Overload | undefined {
    if (this.#draining) return 'draining';
    if (this.#stopped) return 'stopped';
    // Too little time costs no call that may wait, and no OPTIONS, even while nothing is answered.
    return this.#guard.overload === 'memory' ? 'memory' : undefined;
  }

  #serveLine(): void {
    this.#serveNext = undefined;
    const { clock, receiveDelayMs } = this.#options;
    const now = clock.now();
    if (this.#stopped) this.#line.dismiss();
    this.#line.serve(now, () => this.#guard.takesWaiting(receiveDelayMs(), now));
    if (this.#line.length > 0) return;
    clearInterval(this.#serving);
    this.#serving = undefined;
  }

  #watchLoad(): void {
    const before = this.#guard.overload;
    this.#load = this.#probe.sample(this.#options.receiveDelayMs());
    const { answered } = this.#probe;
    this.#guard.observe(this.#load, this.#options.clock.now(), { answered, waiting: this.#line.length });
    const { overload } = this.#guard;
    if (overload === before) return;
    const { log } = this.#options;
    if (overload === undefined) log.info({ load: this.#load }, 'all new calls are taken again');
    else log.warn({ overload, load: this.#load }, 'overload: new calls are refused with 503, as many as it takes');
  }
}
