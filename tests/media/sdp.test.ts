import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import { acceptAnswer, answerOffer, makeOffer, SdpNegotiator } from '../../src/media/sdp.ts';

const local = { address: '192.0.2.1', port: 40000, sessionId: '7' };

function offer(media: string[], session: string[] = ['c=IN IP4 198.51.100.9']): string {
  return `${['v=0', 'o=alice 1 1 IN IP4 198.51.100.9', 's=-', ...session, 't=0 0', ...media].join('\r\n')}\r\n`;
}

const audio = (...attributes: string[]) => [
  'm=audio 5004 RTP/AVP 0 8 101',
  'a=rtpmap:101 telephone-event/8000',
  ...attributes,
];

function refusal(work: () => unknown): number {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error.sipStatus;
    throw error;
  }
  return 0;
}

describe('answering an offer', () => {
  test('takes the first law the peer names, with telephone events, and says where we are', () => {
    const { answer, remote } = answerOffer(offer(audio()), local);
    expect(remote).toEqual({
      address: '198.51.100.9',
      port: 5004,
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      comfortNoisePayloadType: undefined,
      ptimeMs: 20,
      send: true,
      receive: true,
    });
    expect(answer.split('\r\n')).toEqual([
      'v=0',
      'o=- 7 1 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 40000 RTP/AVP 0 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ]);
  });

  test('follows the order of the peer, its payload numbers, its packet time and its comfort noise', () => {
    const media = [
      'm=audio 6000 RTP/AVP 18 97 13 96 98',
      'a=rtpmap:97 PCMA/8000',
      'a=rtpmap:96 telephone-event/48000',
      'a=rtpmap:98 telephone-event/8000',
      'a=ptime:30',
    ];
    const { answer, remote } = answerOffer(offer(media), local);
    expect(remote).toMatchObject({
      codec: 'PCMA',
      payloadType: 97,
      telephoneEventPayloadType: 98,
      comfortNoisePayloadType: 13,
      ptimeMs: 30,
    });
    expect(answer).toContain('m=audio 40000 RTP/AVP 97 98 13\r\n');
    expect(answer).toContain('a=ptime:30\r\n');
  });

  test('the address of the m-line wins over that of the session', () => {
    const { remote } = answerOffer(offer([...audio(), 'c=IN IP4 203.0.113.5']), local);
    expect(remote.address).toBe('203.0.113.5');
  });

  test.each([
    ['a=sendonly', true, false, 'a=recvonly'],
    ['a=recvonly', false, true, 'a=sendonly'],
    ['a=inactive', false, false, 'a=inactive'],
    ['a=sendrecv', true, true, 'a=sendrecv'],
  ])('%s in the m-line or in the session is mirrored', (line, receive, send, mirrored) => {
    for (const sdp of [offer(audio(line)), offer(audio(), ['c=IN IP4 198.51.100.9', line])]) {
      const { answer, remote } = answerOffer(sdp, local);
      expect(remote).toMatchObject({ send, receive });
      expect(answer).toContain(`${mirrored}\r\n`);
    }
  });

  test('a null address is hold in the old spelling', () => {
    const { answer, remote } = answerOffer(offer(audio(), ['c=IN IP4 0.0.0.0']), local);
    expect(remote).toMatchObject({ send: false, receive: true });
    expect(answer).toContain('a=recvonly\r\n');
  });

  test('other m-lines keep their place and are refused with port 0', () => {
    const media = ['m=video 7000 RTP/AVP 99', 'a=rtpmap:99 H264/90000', ...audio(), 'm=image 7002 udptl t38'];
    const { answer } = answerOffer(offer(media), local);
    const lines = answer.split('\r\n').filter((line) => line.startsWith('m='));
    expect(lines).toEqual(['m=video 0 RTP/AVP 99', 'm=audio 40000 RTP/AVP 0 101', 'm=image 0 udptl t38']);
  });

  test('only one audio stream is taken', () => {
    const { answer } = answerOffer(offer([...audio(), 'm=audio 9000 RTP/AVP 8']), local);
    expect(answer).toContain('m=audio 0 RTP/AVP 8\r\n');
  });

  test.each([
    ['no G.711', offer(['m=audio 5004 RTP/AVP 18'])],
    ['only encrypted media', offer(['m=audio 5004 RTP/SAVP 0'])],
    ['audio switched off', offer(['m=audio 0 RTP/AVP 0'])],
    ['no address', offer(audio(), [])],
    ['no media', offer([])],
    ['no SDP at all', 'hello'],
    ['an m-line that is none', offer(['m=audio'])],
  ])('%s is 488', (_what, sdp) => {
    expect(refusal(() => answerOffer(sdp, local))).toBe(488);
  });

  test('any text is answered or refused with 488, never anything else', () => {
    const line = fc.oneof(
      fc.constantFrom(
        ...offer(audio('a=ptime:x', 'a=maxptime:0', 'a=rtpmap:0', 'm=audio 99999 RTP/AVP 0')).split('\r\n'),
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const status = refusal(() => answerOffer(lines.join('\r\n'), local));
        expect([0, 488]).toContain(status);
      }),
      { numRuns: 500 },
    );
  });
});

describe('offering ourselves', () => {
  test('an answer of our own kind is accepted', () => {
    const { answer } = answerOffer(makeOffer(local), { address: '198.51.100.9', port: 6000, sessionId: '9' });
    expect(acceptAnswer(answer)).toMatchObject({ address: '198.51.100.9', port: 6000, codec: 'PCMU', send: true });
  });

  test('a refused stream is 488', () => {
    expect(refusal(() => acceptAnswer(offer(['m=audio 0 RTP/AVP 0'])))).toBe(488);
  });
});

describe('the descriptions of one dialog', () => {
  const version = (sdp: string) => /o=- 7 (\d+) /.exec(sdp)?.[1];

  test('the version counts up when what we say changes, and stays when a refresh repeats it', () => {
    const negotiator = new SdpNegotiator(local);
    expect(version(negotiator.answer(offer(audio())).answer)).toBe('1');
    expect(version(negotiator.answer(offer(audio())).answer)).toBe('1');
    expect(version(negotiator.answer(offer(audio('a=sendonly'))).answer)).toBe('2');
    expect(version(negotiator.answer(offer(audio())).answer)).toBe('3');
    expect(version(negotiator.offer())).toBe('4');
  });
});
