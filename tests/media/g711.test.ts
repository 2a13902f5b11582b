import { alaw, mulaw } from 'alawmulaw';
import { expect, test } from 'vitest';
import { PCMA, PCMU } from '../../src/media/codecs/g711.ts';

test('every octet of both laws decodes as in the reference codec', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect([...PCMU.toLinear]).toEqual([...mulaw.decode(all)]);
  expect([...PCMA.toLinear]).toEqual([...alaw.decode(all)]);
});

test('every sample is encoded with an error no greater than the reference codec makes', () => {
  for (let sample = -32768; sample <= 32767; sample++) {
    const pcm = Int16Array.of(sample);
    for (const [codec, reference] of [
      [PCMU, mulaw],
      [PCMA, alaw],
    ] as const) {
      const ours = Math.abs(codec.toLinear[codec.fromLinear[sample & 0xffff]!]! - sample);
      const theirs = Math.abs(reference.decode(reference.encode(pcm))[0]! - sample);
      if (ours > theirs) throw new Error(`${codec.name} ${sample}: error ${ours}, reference ${theirs}`);
    }
  }
});

test('what is decoded encodes to the same octet, but for the two zeros of mu-law', () => {
  for (let octet = 0; octet < 256; octet++) {
    expect(PCMA.fromLinear[PCMA.toLinear[octet]! & 0xffff]).toBe(octet);
    if (octet !== 0x7f) expect(PCMU.fromLinear[PCMU.toLinear[octet]! & 0xffff]).toBe(octet);
  }
  expect(PCMU.toLinear[0x7f]).toBe(0);
});

test('silence is the code of zero', () => {
  expect(PCMU.fromLinear[0]).toBe(PCMU.silence);
  expect(PCMA.fromLinear[0]).toBe(PCMA.silence);
});

test('frames are coded in place, at an offset', () => {
  const octets = new Uint8Array(6).fill(1);
  PCMU.encoder(160).encode(Int16Array.of(9, 0, -8000, 8000), 1, 3, octets, 2);
  expect(octets[0]).toBe(1);
  const back = new Int16Array(5);
  PCMU.decoder().decode(octets, 2, 3, back, 1);
  expect(back[0]).toBe(0);
  expect(back[2]).toBeGreaterThan(-8300);
  expect(back[2]).toBeLessThan(-7700);
});
