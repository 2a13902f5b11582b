import type { InboundHooks } from '../../src/media/inbound/inbound-audio.ts';
import type { RtpPacket } from '../../src/media/rtp/rtp-packet.ts';
import { buildRtp, parseRtp } from './rtp-datagram.ts';

export interface PacketOptions {
  sequence: number;
  timestamp?: number;
  payloadType?: number;
  ssrc?: number;
  marker?: boolean;
  payload?: Uint8Array;
}

/** A parsed packet; its payload is 20 ms of G.711 unless told otherwise. Numbers wrap as on the wire. */
export function packet(options: PacketOptions): RtpPacket {
  return parseRtp(datagram(options))!;
}

export function datagram(options: PacketOptions): Uint8Array {
  return buildRtp({
    payloadType: options.payloadType ?? 0,
    marker: options.marker,
    sequence: options.sequence & 0xffff,
    timestamp: (options.timestamp ?? options.sequence * 160) >>> 0,
    ssrc: options.ssrc ?? 0x1234,
    payload: options.payload ?? new Uint8Array(160).fill(0xff),
  });
}

/** For who looks at the audio alone. */
export const NO_HOOKS: InboundHooks = {
  started: () => undefined,
  keyDown: () => undefined,
  keyUp: () => undefined,
  timeout: () => undefined,
};

/** A telephone-event packet (RFC 4733 section 2.3). */
export function eventPacket(options: {
  sequence: number;
  timestamp: number;
  event: number;
  duration: number;
  end?: boolean;
  marker?: boolean;
}): PacketOptions {
  const { event, duration, end } = options;
  return {
    sequence: options.sequence,
    timestamp: options.timestamp,
    payloadType: 101,
    marker: options.marker,
    payload: Uint8Array.of(event, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff),
  };
}

/** A tone at the given share of full scale. */
export function tone(samples: number, hz: number, level = 0.3): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(32767 * level * Math.sin((2 * Math.PI * hz * i) / 8000)),
  );
}

/** Amplitude of one frequency in `pcm`, as a share of full scale (Goertzel). */
export function amplitudeOf(pcm: Int16Array, hz: number): number {
  const turn = (2 * Math.PI * hz) / 8000;
  let [one, two] = [0, 0];
  for (const sample of pcm) [one, two] = [sample + 2 * Math.cos(turn) * one - two, one];
  const power = one * one + two * two - 2 * Math.cos(turn) * one * two;
  return pcm.length === 0 ? 0 : (2 * Math.sqrt(Math.max(0, power))) / pcm.length / 32767;
}
