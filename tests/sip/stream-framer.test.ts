import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Framed, StreamFramer } from '../../src/sip/message/stream-framer.ts';
import { OFFER } from './support.ts';

function message(callId: string, body = OFFER, length = String(Buffer.byteLength(body))): string {
  const head = ['OPTIONS sip:a@b SIP/2.0', 'Via: SIP/2.0/TCP c', 'From: <sip:d@e>;tag=1', 'To: <sip:a@b>'];
  return `${[...head, `Call-ID: ${callId}`, 'CSeq: 1 OPTIONS', `l: ${length}`].join('\r\n')}\r\n\r\n${body}`;
}

const kinds = (framed: Framed[]) => framed.map((one) => (one.type === 'message' ? one.message.callId : one.type));

describe('messages on a stream', () => {
  it('come out whole and in order however the segments are torn, keep-alives between them', () => {
    const stream = Buffer.from(`${message('one')}\r\n\r\n${message('two', '')}\r\n${message('three', 'ü\r\n\r\n')}`);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 40 }), (cuts) => {
        const framer = new StreamFramer();
        const out: Framed[] = [];
        const edges = [0, ...cuts.sort((a, b) => a - b), stream.length];
        for (let i = 1; i < edges.length; i++) out.push(...framer.push(stream.subarray(edges[i - 1]!, edges[i]!)));
        expect(kinds(out)).toEqual(['one', 'ping', 'two', 'three']);
        expect(out[0]?.type === 'message' && out[0].message.body.toString()).toBe(OFFER);
      }),
    );
  });

  it('go on behind a message that is wrong but whole', () => {
    const framed = new StreamFramer().push(Buffer.from(`${message('x').replace('To:', 'To')}${message('next')}`));
    expect(kinds(framed)).toEqual(['bad-message', 'next']);
  });

  it.each([
    ['no Content-Length', message('x').replace(/l: \d+\r\n/, ''), 400],
    ['a Content-Length that is no number', message('x', '', 'many'), 400],
    ['a body beyond the limit', message('x', '', '99999999'), 413],
    ['headers without an end', `OPTIONS sip:a@b SIP/2.0\r\nX: ${'x'.repeat(20_000)}`, 513],
    ['another protocol', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ])('end at %s, once, and are not read any further', (_what, text, status) => {
    const framer = new StreamFramer();
    const framed = framer.push(Buffer.from(text));
    expect(kinds(framed)).toEqual(['broken']);
    expect(framed[0]?.type === 'broken' && framed[0].error.sipStatus).toBe(status);
    expect(framer.push(Buffer.from(message('late')))).toEqual([]);
  });

  it('never throw for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (segments) => {
        const framer = new StreamFramer();
        for (const segment of segments) framer.push(Buffer.from(segment));
      }),
    );
  });
});
