import fc from 'fast-check';
import { parse } from 'sdp-transform';
import { expect, it } from 'vitest';
import { readLines } from '../../src/media/sdp/sdp-lines.ts';

const digits = fc.constantFrom(
  '',
  '0',
  '5',
  '8',
  '00',
  '13',
  '96',
  '101',
  '8000',
  '48000',
  '65536',
  '99999999999999999999',
);
const word = fc.constantFrom(
  '',
  'audio',
  'video',
  'PCMU',
  'opus',
  'telephone-event',
  'RTP/AVP',
  'UDP/TLS/RTP/SAVPF',
  'x y',
  '2',
  '0-15',
);
const line = fc.oneof(
  fc
    .tuple(word, digits, word, fc.constantFrom('', ' 0', ' 0 8 101', ' 96 0'))
    .map(([t, p, w, f]) => `m=${t} ${p} ${w}${f}`),
  fc
    .tuple(digits, word, fc.constantFrom('', '/8000', '/48000/2', ' /16000', '/', '/8000/'))
    .map(([p, w, r]) => `a=rtpmap:${p} ${w}${r}`),
  fc.tuple(digits, word).map(([p, w]) => `a=fmtp:${p} ${w};a=b`),
  fc
    .tuple(fc.constantFrom('ptime', 'maxptime'), digits, fc.constantFrom('', '.5', ' ', 'x'))
    .map(([n, d, e]) => `a=${n}:${d}${e}`),
  fc.tuple(digits, fc.constantFrom('', ' IN IP4 192.0.2.1', ' IN IP6 ::1', ' IN')).map(([p, a]) => `a=rtcp:${p}${a}`),
  fc.constantFrom('c=IN IP4 192.0.2.7', 'c=IN IP6 2001:db8::1', 'c=IN IP4 ', 'c=IN', 'c=IN IP4 224.2.1.1/127'),
  fc.constantFrom(
    'a=sendonly',
    'a=inactive',
    'a=sendrecv',
    'a=recvonly ',
    'a=rtcp-mux',
    'a=rtcp',
    'a=ptime',
    'v=0',
    'v=1',
    'v=00',
    'v=x',
  ),
  fc.constantFrom(
    's=-',
    't=0 0',
    '',
    'a',
    '=',
    'a=',
    'A=sendonly',
    'a=mid:0',
    'a=group:BUNDLE 0',
    'a=ice-lite',
    'm=',
    'm=audio',
  ),
);

/** Of several in one part sdp-transform takes one's port and another's address. */
function oneRtcpEach(lines: readonly string[]): string[] {
  let there = false;
  return lines.filter((line) => {
    if (line.startsWith('m=')) there = false;
    if (!line.startsWith('a=rtcp:')) return true;
    const first = !there;
    there = true;
    return first;
  });
}

it('reads of any description what sdp-transform reads of it', () => {
  const descriptions = fc.tuple(fc.array(line, { maxLength: 20 }), fc.constantFrom('\r\n', '\n', '\r'));
  fc.assert(
    fc.property(descriptions, ([lines, end]) => {
      const sdp = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', ...oneRtcpEach(lines)].join(end);
      const theirs = parse(sdp);
      const ours = readLines(sdp);
      const integer = (value: unknown) => (Number.isInteger(value) ? value : Number.NaN);
      const text = (value: unknown) => (value === undefined ? undefined : String(value));
      expect(ours.version).toBe(integer(theirs.version));
      expect(ours.connection).toBe(text(theirs.connection?.ip));
      expect(ours.direction).toBe(theirs.direction);
      expect(ours.media).toHaveLength(theirs.media.length);
      for (const [i, media] of theirs.media.entries()) {
        const own = ours.media[i]!;
        expect(own.type).toBe(text(media.type) ?? '');
        expect(own.protocol).toBe(text(media.protocol) ?? '');
        expect(own.port).toBe(integer(media.port));
        expect(own.payloads).toBe(text(media.payloads));
        expect(own.connection).toBe(text(media.connection?.ip));
        expect(own.direction).toBe(media.direction);
        expect(own.ptime).toBe(text(media.ptime));
        expect(own.maxptime).toBe(text(media.maxptime));
        expect(own.rtcpMux).toBe(media.rtcpMux !== undefined);
        expect(own.rtcp?.port).toBe(media.rtcp === undefined ? undefined : integer(media.rtcp.port));
        expect(own.rtcp?.address).toBe(text(media.rtcp?.address));
        for (const type of [0, 5, 8, 13, 96, 101]) {
          const map = media.rtp.find(({ payload }) => payload === type);
          const theirMap = map && {
            codec: String(map.codec),
            rate: map.rate === undefined ? undefined : integer(map.rate),
            channels: text(map.encoding),
          };
          expect(own.maps.get(type)).toEqual(theirMap);
          expect(own.formats.get(type)).toBe(text(media.fmtp.find(({ payload }) => payload === type)?.config));
        }
      }
    }),
  );
});
