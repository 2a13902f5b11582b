import type { SipRequest } from '../message/message.ts';

export interface InfoDigit {
  /** 0-9 * # A-D */
  digit: string;
  /** Milliseconds, where the peer gave them. */
  durationMs: number | undefined;
}

/** A keypress in an INFO: `Signal=5\r\nDuration=160` (dtmf-relay) or the bare digit (dtmf). undefined: not a digit. */
export function parseDtmfInfo(request: SipRequest): InfoDigit | undefined {
  const text = request.body.toString('latin1').trim();
  if (request.contentType === 'application/dtmf') return digitOf(text, undefined);
  const signal = /^signal\s*=\s*(\S+)\s*$/im.exec(text)?.[1];
  const duration = /^duration\s*=\s*(\d{1,6})\s*$/im.exec(text)?.[1];
  return signal === undefined ? undefined : digitOf(signal, duration === undefined ? undefined : Number(duration));
}

/** A keypress as most user agents read it. */
export function formatDtmfInfo({ digit, durationMs }: InfoDigit): { contentType: string; body: string } {
  const duration = durationMs === undefined ? '' : `Duration=${Math.round(durationMs)}\r\n`;
  return { contentType: 'application/dtmf-relay', body: `Signal=${digit}\r\n${duration}` };
}

function digitOf(text: string, durationMs: number | undefined): InfoDigit | undefined {
  // Event numbers 10 and 11 stand for * and # with some gateways.
  const digit = text === '10' ? '*' : text === '11' ? '#' : text.toUpperCase();
  return /^[0-9*#A-D]$/.test(digit) ? { digit, durationMs } : undefined;
}
