import type { Clock, Ms } from '../core/clock.ts';
import type { Failure } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { SipRequest } from './message/message.ts';
import type { ParseLimits } from './message/parse.ts';
import type { IncomingInvite, Refusal } from './session/incoming-invite.ts';
import type { SessionTimerOptions } from './session/session-timer.ts';
import type { WireTap } from './trace/wire-tap.ts';
import type { TimerValues } from './transactions/timers.ts';
import type { Verdict } from './transactions/transaction-layer.ts';
import type { ConnectionLimits } from './transport/connection-limits.ts';
import type { Dns } from './transport/dns.ts';
import type { Flow } from './transport/flow.ts';
import type { TlsFiles } from './transport/tls-files.ts';
import type { ListenOptions } from './transport/transport-layer.ts';

export interface UserAgentOptions {
  listen: readonly ListenOptions[];
  /** Address peers are told in Via and Contact; else the bound one, or the one of this machine that faces the peer. */
  publicAddress?: string | readonly string[] | undefined;
  /** Needed to listen on `tls` and `wss`. */
  tls?: TlsFiles | undefined;
  /** Pages that may connect by WebSocket; any when undefined. */
  webSocketOrigins?: readonly string[] | undefined;
  /** Where hosts are looked up; else with the system's resolver. */
  dns?: Dns | undefined;
  log: Logger;
  /** Called for each new INVITE that passed `admit`. Answer, ring or reject it, now or later. */
  onInvite: (invite: IncomingInvite) => void;
  /**
   * Who may speak to us at all: asked for each new request (ACK and retransmissions aside) before a transaction is
   * made of it, so a refusal costs no memory. `known` is true where the request belongs to a call that is there.
   * Default: accept. Must not throw.
   */
  onRequest?: ((request: SipRequest, flow: Flow, known: boolean) => Verdict) | undefined;
  /** May this address open a connection to us? Asked before a handshake. Default: yes. Must not throw. */
  welcome?: ((address: string) => boolean) | undefined;
  /** A request that cannot be read, before its 4xx. Default: answer. Must not throw. */
  onMalformed?: ((error: Failure, flow: Flow) => 'answer' | 'drop') | undefined;
  /**
   * Refuses INVITE and OPTIONS before anything is made of them; undefined lets them pass. `flow` is the way they came:
   * transport, address, certificate.
   */
  admit?: ((request: SipRequest, flow: Flow) => Refusal | undefined) | undefined;
  /** Answers REGISTER. Default: 405, nobody registers here. Must not throw. */
  onRegister?: ((request: SipRequest, flow: Flow) => Pick<Refusal, 'status' | 'headers'>) | undefined;
  /** Sees every message as it crosses the wire. */
  tap?: WireTap | undefined;
  /** Text of Server and User-Agent. */
  product?: string | undefined;
  clock?: Clock | undefined;
  timers?: Partial<TimerValues> | undefined;
  limits?: Partial<UserAgentLimits> | undefined;
  /** Session timers (RFC 4028): what we ask for and the least we agree to. */
  sessionTimer?: Partial<SessionTimerOptions> | undefined;
}

/** What happens when one is reached: 503 with Retry-After to peers, Failure 503 to us; connections are not accepted. */
export interface UserAgentLimits {
  maxTransactions: number;
  maxDialogs: number;
  retryAfterSeconds: number;
  /** How long `close` waits for the answers to its BYEs. */
  closeGraceMs: Ms;
  parse: Partial<ParseLimits>;
  connections: Partial<ConnectionLimits>;
}

export const DEFAULT_LIMITS: UserAgentLimits = {
  maxTransactions: 50_000,
  maxDialogs: 10_000,
  retryAfterSeconds: 5,
  closeGraceMs: 1_500,
  parse: {},
  connections: {},
};
