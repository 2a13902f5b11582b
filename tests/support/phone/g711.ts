import alawmulaw from 'alawmulaw';

/** The phone's codec is npm's alawmulaw, not the connector's: a mistake in one shows against the other. */
export type G711 = 'PCMU' | 'PCMA';

export const PAYLOAD_TYPE: Record<G711, number> = { PCMU: 0, PCMA: 8 };

function table(decode: (byte: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, byte) => decode(byte));
}

const DECODE: Record<G711, Int16Array> = {
  PCMU: table((byte) => alawmulaw.mulaw.decodeSample(byte)),
  PCMA: table((byte) => alawmulaw.alaw.decodeSample(byte)),
};

export function encode(codec: G711, pcm: Int16Array): Uint8Array {
  return codec === 'PCMU' ? alawmulaw.mulaw.encode(pcm) : alawmulaw.alaw.encode(pcm);
}

export function decode(codec: G711, payload: Uint8Array): Int16Array {
  const samples = DECODE[codec];
  const pcm = new Int16Array(payload.length);
  for (let i = 0; i < payload.length; i++) pcm[i] = samples[payload[i]!]!;
  return pcm;
}
