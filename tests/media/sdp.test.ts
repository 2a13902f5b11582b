import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import type { CodecName } from '../../src/media/codecs/codec.ts';
import { acceptAnswer, answerOffer, makeOffer, SdpNegotiator } from '../../src/media/sdp/sdp.ts';

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
  test('of more media lines than any call has is refused, before it is read', () => {
    const many = (lines: number) => offer(Array.from({ length: lines }, () => 'm=audio 5004 RTP/AVP 0'));
    expect(answerOffer(many(32), local).answer.match(/^m=/gm)).toHaveLength(32);
    expect(refusal(() => answerOffer(many(33), local))).toBe(488);
    // However its lines end.
    for (const end of ['\n', '\r'])
      expect(refusal(() => answerOffer(many(33).replaceAll('\r\n', end), local))).toBe(488);
  });

  test('takes the first law the peer names, with telephone events, and says where we are', () => {
    const { answer, remote } = answerOffer(offer(audio()), local);
    expect(remote).toEqual({
      address: '198.51.100.9',
      port: 5004,
      codec: 'PCMU',
      payloadType: 0,
      telephoneEvents: [{ payloadType: 101, clockRate: 8000 }],
      keysAs: { payloadType: 101, clockRate: 8000 },
      rtcp: { address: '198.51.100.9', port: 5005, mux: false },
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
      telephoneEvents: [{ payloadType: 98, clockRate: 8000 }],
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
    ['no codec in common', offer(['m=audio 5004 RTP/AVP 18'])],
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

describe('choosing a codec', () => {
  const wide = [
    'm=audio 5004 RTP/AVP 111 9 0 8 13 110 101',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 useinbandfec=1;maxaveragebitrate=16000',
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:110 telephone-event/48000',
    'a=rtpmap:101 telephone-event/8000',
    'a=ptime:30',
  ];

  test('the order of the offer decides among the codecs in use', () => {
    const chosen = (...codecs: CodecName[]) => answerOffer(offer(wide), { ...local, codecs }).remote.codec;
    expect(answerOffer(offer(wide), local).remote.codec).toBe('opus');
    expect(chosen('PCMU', 'PCMA', 'G722')).toBe('G722');
    expect(chosen('PCMA', 'PCMU')).toBe('PCMU');
    expect(refusal(() => answerOffer(offer(audio()), { ...local, codecs: ['opus'] }))).toBe(488);
  });

  test('Opus keeps its own clock, its own telephone events and frames it can be cut into', () => {
    const { answer, remote } = answerOffer(offer(wide), local);
    expect(remote).toMatchObject({
      codec: 'opus',
      payloadType: 111,
      format: 'useinbandfec=1;maxaveragebitrate=16000',
      telephoneEvents: [{ payloadType: 110, clockRate: 48_000 }],
      ptimeMs: 20,
    });
    expect(remote.comfortNoisePayloadType).toBeUndefined();
    expect(answer).toContain('m=audio 40000 RTP/AVP 111 110\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 maxplayback');
    expect(answer).toContain('a=rtpmap:110 telephone-event/48000\r\n');
    expect(answer).toContain('a=ptime:20\r\n');
  });

  test('a codec under a clock or with channels that are not its own is another codec', () => {
    const wrong = (map: string) => offer(['m=audio 5004 RTP/AVP 96', `a=rtpmap:96 ${map}`]);
    for (const map of ['opus/48000', 'opus/16000/2', 'G722/16000', 'PCMU/16000', 'PCMA/8000/2']) {
      expect(
        refusal(() => answerOffer(wrong(map), local)),
        map,
      ).toBe(488);
    }
    expect(answerOffer(wrong('g722/8000'), local).remote.codec).toBe('G722');
  });

  test('what is refused says why: transport or format', () => {
    const why = (media: string[]) => {
      try {
        answerOffer(offer(media), local);
      } catch (error) {
        return (error as Failure).code;
      }
      return 'answered';
    };
    expect(why(['m=audio 5004 RTP/SAVP 0'])).toBe('incompatible-transport');
    expect(why(['m=audio 5004 UDP/TLS/RTP/SAVPF 111', 'a=rtpmap:111 opus/48000/2'])).toBe('incompatible-transport');
    expect(why(['m=audio 5004 RTP/AVP 18'])).toBe('incompatible-format');
    expect(why(['m=audio 5004 RTP/SAVP 0', ...audio()])).toBe('answered');
  });

  test('maxptime bounds the packet time; RTCP goes where the peer wants it', () => {
    const { remote, answer } = answerOffer(offer(audio('a=ptime:60', 'a=maxptime:40', 'a=rtcp:6001')), local);
    expect(remote.ptimeMs).toBe(40);
    expect(remote.rtcp).toEqual({ address: '198.51.100.9', port: 6001, mux: false });
    expect(answer).not.toContain('rtcp-mux');
    const muxed = answerOffer(offer(audio('a=rtcp-mux', 'a=rtcp:6001')), local);
    expect(muxed.remote.rtcp).toEqual({ address: '198.51.100.9', port: 5004, mux: true });
    expect(muxed.answer).toContain('a=rtcp-mux\r\n');
  });

  test('IPv6, unknown attributes and a format without a map do no harm', () => {
    const media = ['m=audio 5004 RTP/AVP 0 96', 'a=crypto:1 x y', 'a=ssrc:1 cname:x', 'a=ice-ufrag:abc', 'b=AS:64'];
    const { answer, remote } = answerOffer(offer(media, ['c=IN IP6 2001:db8::9', 'a=group:BUNDLE 0']), {
      ...local,
      address: '2001:db8::1',
    });
    expect(remote.address).toBe('2001:db8::9');
    expect(answer).toContain('c=IN IP6 2001:db8::1\r\n');
    expect(answer).not.toContain('BUNDLE');
  });

  test('any mixture of lines of real offers is answered or refused with 488, and what is answered can be sent', () => {
    const lines = [
      ...wide,
      ...audio(
        'a=sendonly',
        'a=maxptime:5',
        'a=rtcp:0',
        'a=rtcp:70000 IN IP4 x',
        'a=rtcp-mux',
        'a=fmtp:111',
        'a=ptime:-1',
      ),
      ...['m=audio 1 RTP/AVP', 'm=audio 65536 RTP/AVP 0', 'c=IN IP4 0.0.0.0', 'c=IN IP6 ::', 'm=video 9 RTP/AVP 96'],
      ...['a=rtpmap:111 opus/48000/99', 'a=rtpmap:300 PCMU/8000', 'm=audio 5/2 RTP/AVP 8', 'a=rtpmap:0 opus/48000/2'],
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lines), { maxLength: 15 }), (media) => {
        const sdp = offer(media);
        const status = refusal(() => {
          const { answer, remote } = answerOffer(sdp, local);
          expect(remote.port).toBeGreaterThan(0);
          expect([10, 20, 30, 40, 50, 60]).toContain(remote.ptimeMs);
          const asked = answer.split('\r\n').filter((line) => line.startsWith('m=')).length;
          expect(asked).toBe(media.filter((line) => line.startsWith('m=')).length);
          // Our own reading of our own answer: it describes one live stream or none that is held.
          expect(acceptAnswer(answer.replace(/^m=audio 0.*\r\n|^m=video.*\r\n/gm, '')).codec).toBe(remote.codec);
        });
        expect([0, 488]).toContain(status);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('offering ourselves', () => {
  test('all codecs in use are offered in our order, and the answer may number them its own way', () => {
    const own = makeOffer({ ...local, codecs: ['G722', 'opus', 'PCMU'] });
    expect(own).toContain('m=audio 40000 RTP/AVP 9 96 0 101 102\r\n');
    const answer = offer(['m=audio 7000 RTP/AVP 120 0', 'a=rtpmap:120 opus/48000/2', 'a=rtcp-mux']);
    const remote = acceptAnswer(answer);
    expect(remote).toMatchObject({ codec: 'opus', payloadType: 120, rtcp: { mux: true } });
    expect(remote.accepts).toEqual(
      expect.arrayContaining([
        { codec: 'opus', payloadType: 96 },
        { codec: 'opus', payloadType: 120 },
        { codec: 'PCMU', payloadType: 0 },
      ]),
    );
  });

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
