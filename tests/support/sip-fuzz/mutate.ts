/** A stream of numbers in [0, 1) that a seed determines: a failure can be played again. */
export type Random = () => number;

/** Mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What parsers of this kind stumble over. */
const SPICES = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  '\0',
  '\\\0',
  '"',
  '\\',
  '<',
  '>',
  ';',
  ',',
  ':',
  '@',
  '=',
  '?',
  '[',
  ']',
  '%00',
  '%',
  '\t ',
  '\r\n ',
  ':::1.2.3.4',
  '99999999999999999999',
  '-1',
  'SIP/2.0',
  '\u00ff\u00fe',
  'z9hG4bK',
  '\r\nContent-Length: 5\r\n',
  '\r\nContent-Length: 2147483647\r\n',
  '\r\nVia: SIP/2.0/UDP [::1]:99999;branch=;rport=x\r\n',
  '\r\nTo: "\\"\r\n',
  '\r\nSession-Expires: 0\r\n',
  '\r\nContent-Type: multipart/mixed;boundary=b\r\n',
  '--b\r\n',
].map((text) => Buffer.from(text, 'latin1'));

/** One to six changes: bits, bytes, ranges left out, doubled, exchanged for a piece of another message, spices. */
export function mutate(bytes: Buffer, corpus: readonly Buffer[], random: Random): Buffer {
  const below = (n: number) => Math.floor(random() * n);
  let out = Buffer.from(bytes);
  for (let left = 1 + below(6); left > 0; left--) {
    const at = below(out.length + 1);
    const some = out.subarray(at, at + 1 + below(40));
    switch (below(7)) {
      case 0:
        if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << below(8));
        break;
      case 1:
        if (at < out.length) out[at] = below(256);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + some.length)]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), some, out.subarray(at)]);
        break;
      case 4: {
        const other = corpus[below(corpus.length)] ?? out;
        const from = below(other.length + 1);
        out = Buffer.concat([out.subarray(0, at), other.subarray(from, from + below(200)), out.subarray(at)]);
        break;
      }
      case 5: {
        const spice = SPICES[below(SPICES.length)] ?? out;
        // Now and then very many of them: what takes quadratic time shows then.
        const times = below(200) === 0 ? 2_000 : 1;
        out = Buffer.concat([out.subarray(0, at), ...Array<Buffer>(times).fill(spice), out.subarray(at)]);
        break;
      }
      default:
        out = Buffer.from(out.subarray(0, below(20) === 0 ? at : out.length));
    }
  }
  return out.subarray(0, 60_000);
}
