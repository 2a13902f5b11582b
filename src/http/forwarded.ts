import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { AddressSet, type Block } from '../core/address-set.ts';

/** What one proxy says of a request (RFC 7239 section 4): who sent it to that proxy, for which host, by what scheme. */
export interface ForwardedStep {
  for?: string;
  host?: string;
  proto?: string;
}

/** A pair, which may be missing, and what follows it. A colon outside of quotes is against the RFC's grammar, and common. */
const PAIR = /[ \t]*(?:([!#$%&'*+\-.^_`|~\w]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?[ \t]*(;|,|$)/y;

/** The value of a Forwarded header, the proxy nearest to the client first; undefined when it cannot be read. */
export function readForwarded(value: string): ForwardedStep[] | undefined {
  let step: ForwardedStep = {};
  const steps = [step];
  PAIR.lastIndex = 0;
  for (;;) {
    const pair = PAIR.exec(value);
    if (pair === null) return undefined;
    const [, name = '', quoted, plain = '', end] = pair;
    const key = name.toLowerCase();
    if (key === 'for' || key === 'host' || key === 'proto') {
      step[key] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
    }
    if (end === '') return steps;
    if (end === ',') {
      step = {};
      steps.push(step);
    }
  }
}

/** How a request has come, to us or to the proxy before us. */
export interface Arrival {
  secure: boolean;
  /** As the client named it: host, or host and port. */
  host: string | undefined;
}

const X_FORWARDED = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'];

/**
 * Proxies whose word on where a request has come from is believed: in X-Forwarded-For, -Proto and -Host, or, where none of
 * these is there, in Forwarded. Of everybody else such headers count for nothing: anybody can write them.
 */
export class TrustedProxies {
  readonly #addresses: AddressSet;

  constructor(blocks: readonly Block[]) {
    this.#addresses = new AddressSet(blocks);
  }

  /** `address`: as a socket or a header tells it. */
  trusts(address: string | undefined): boolean {
    return address !== undefined && isIP(address) !== 0 && this.#addresses.has(address);
  }

  /** Puts what a proxy says in Forwarded where everybody looks for it. */
  translate({ headers, socket }: IncomingMessage): void {
    if (headers.forwarded === undefined || X_FORWARDED.some((name) => headers[name] !== undefined)) return;
    if (!this.trusts(socket.remoteAddress)) return;
    const steps = readForwarded(headers.forwarded);
    if (steps === undefined) return;
    const last = steps.at(-1);
    headers['x-forwarded-for'] = steps.map((step) => addressOf(step.for ?? 'unknown')).join(', ');
    if (last?.proto !== undefined) headers['x-forwarded-proto'] = last.proto;
    if (last?.host !== undefined) headers['x-forwarded-host'] = last.host;
  }

  arrivalOf({ headers, socket }: { headers: IncomingMessage['headers']; socket: Socket | TLSSocket }): Arrival {
    const believed = this.trusts(socket.remoteAddress);
    const proto = believed ? lastOf(headers['x-forwarded-proto']) : undefined;
    const host = believed ? lastOf(headers['x-forwarded-host']) : undefined;
    const encrypted = 'encrypted' in socket && socket.encrypted;
    return { secure: proto === undefined ? encrypted : proto === 'https', host: host ?? headers.host };
  }
}

/** `192.0.2.1:47011` and `[2001:db8::1]:47011` without the port; `unknown` and what else is no address as it is. */
function addressOf(node: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::[\w.-]*)?$/.exec(node) ?? [];
  return bracketed ?? plain ?? node;
}

function lastOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.at(-1) : header;
  return text?.split(',').at(-1)?.trim();
}
