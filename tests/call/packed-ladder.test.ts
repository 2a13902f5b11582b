import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { packLadder, unpackLadder } from '../../src/call/record/sip-ladder.ts';

const place = { address: '192.0.2.7', port: 5060 };
const messages = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    at: 1_764_000_000_123_456 + i,
    direction: 'in' as const,
    protocol: 'udp' as const,
    local: place,
    remote: place,
    text: `INVITE sip:bank@192.0.2.1 SIP/2.0\r\nCSeq: ${i} INVITE\r\nX: ${Math.random()}\r\n\r\n`,
  }));

it.each([6, 400])('%s messages are the same when they are unpacked, and small until then', async (count) => {
  const trace = { messages: messages(count), dropped: 3 };
  const packed = await packLadder('call', trace);
  expect(await unpackLadder(packed)).toEqual(trace);
  expect(packed.packed.length).toBeLessThan(JSON.stringify(trace).length / 3);
});

it('those of a connector before this one, packed by gzip, are read as well', async () => {
  const trace = { messages: messages(6), dropped: 0 };
  const packed = gzipSync(JSON.stringify(trace.messages)).toString('base64');
  expect(await unpackLadder({ sessionId: 'call', messages: 6, dropped: 0, packed })).toEqual(trace);
});
