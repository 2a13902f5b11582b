import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RtpHeader, RtpPacket, SrtcpSession, SrtpSession } from 'werift';
import { AesCounter } from '../../src/media/srtp/aes-counter.ts';
import { HmacSha1 } from '../../src/media/srtp/hmac-sha1.ts';
import { Keystreams } from '../../src/media/srtp/keystreams.ts';
import { estimateIndex, ReplayWindow } from '../../src/media/srtp/packet-index.ts';
import { SRTP_PROFILES, type SrtpKey, type SrtpProfileName, srtpProfile } from '../../src/media/srtp/profiles.ts';
import { deriveSessionKeys } from '../../src/media/srtp/session-keys.ts';
import { SrtpLine } from '../../src/media/srtp/srtp-line.ts';
import { SrtpReceiver } from '../../src/media/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../src/media/srtp/srtp-sender.ts';
import { GaloisTransform } from '../../src/media/srtp/transforms.ts';
import { buildRtp } from './rtp-datagram.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const hex = (data: Uint8Array | string) => (typeof data === 'string' ? data : Buffer.from(data).toString('hex'));
const aKey = (profile: SrtpProfileName, mki?: Uint8Array): SrtpKey => {
  const { keyBytes, saltBytes } = srtpProfile(profile);
  return { profile, master: new Uint8Array(randomBytes(keyBytes + saltBytes)), ...(mki ? { mki } : {}) };
};
const rtp = (sequence: number, payload: Uint8Array = randomBytes(160), ssrc = 0xcafe_babe) =>
  buildRtp({ payloadType: 0, sequence: sequence & 0xffff, timestamp: sequence * 160, ssrc, payload });
const rtcp = (ssrc = 0xcafe_babe) => bytes(`81c8000b${ssrc.toString(16).padStart(8, '0')}${'ab'.repeat(16)}00000000`);
const copy = (data: Uint8Array) => Uint8Array.from(data);

describe('the ciphers are those of the specifications', () => {
  const master = bytes('e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6');

  test('RFC 3711 B.2: the keystream', () => {
    const aes = new AesCounter(bytes('2b7e151628aed2a6abf7158809cf4f3c'));
    const iv = bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfd0000');
    expect(hex(aes.keystream(iv, 48))).toBe(
      'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
    );
    iv[14] = 0xfe;
    iv[15] = 0xff;
    expect(hex(aes.keystream(iv, 48))).toBe(
      'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44',
    );
  });

  test('RFC 3711 B.3: the session keys', () => {
    const { rtp } = deriveSessionKeys({ profile: 'AES_CM_128_HMAC_SHA1_80', master });
    expect(hex(rtp.key)).toBe('c61e7a93744f39ee10734afe3ff7a087');
    expect(hex(rtp.salt)).toBe('30cbbc08863d8c85d49db34a9ae1');
    expect(hex(rtp.auth)).toBe('cebe321f6ff7716b6fd4ab49af256a156d38baa4');
  });

  test('RFC 7714 16.1.1, 16.1.3 and 17.1: AES-128-GCM and AES-256-GCM of RTP, AES-128-GCM of RTCP', () => {
    const salt = bytes('517569642070726f2071756f');
    const auth = new Uint8Array(0);
    const seal = (key: string, rtcp: boolean, packet: Uint8Array, from: number, index: number, word: number) => {
      const data = copy(packet);
      const tag = new Uint8Array(16);
      const ssrc = Buffer.from(packet).readUInt32BE(rtcp ? 4 : 8);
      new GaloisTransform({ key: bytes(key), salt, auth }, rtcp).seal(data, from, data.length, ssrc, index, word, tag);
      return hex(data) + hex(tag);
    };
    const plain = bytes(`8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070
      61727465 73207472 6573`);
    const key = '000102030405060708090a0b0c0d0e0f';
    expect(seal(key, false, plain, 12, 0xf17b, 0)).toBe(
      '8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
    );
    expect(seal(`${key}101112131415161718191a1b1c1d1e1f`, false, plain, 12, 0xf17b, 0)).toBe(
      '8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13',
    );
    const report = bytes(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef
      deadbeef deadbeef deadbeef`);
    expect(`${seal(key, true, report, 8, 0x5d4, 0x800005d4)}800005d4`).toBe(
      '81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4',
    );
  });

  test.each([
    {
      profile: 'AES_CM_128_HMAC_SHA1_80' as const,
      master: 'e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6',
      wire: '4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb',
    },
    {
      profile: 'AES_256_CM_HMAC_SHA1_80' as const,
      master: 'f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b63b04803de51ee7c96423ab5b78d2',
      wire: 'f1d9de17ff251ff1aa007774b0b4b40da08d9d9a5b3a55d8873b',
    },
    {
      profile: 'AEAD_AES_128_GCM' as const,
      master: '000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab',
      wire: 'c5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392',
    },
  ])("a whole packet in $profile is byte for byte libsrtp's reference packet", ({ profile, master, wire }) => {
    const sent = new SrtpSender({ profile, master: bytes(master) }).protectRtp(
      bytes(`800f1234decafbadcafebabe${'ab'.repeat(16)}`),
    );
    expect(hex(sent)).toBe(`800f1234decafbadcafebabe${wire}`);
  });

  test('HMAC-SHA1 of any key and message is that of node:crypto', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 300 }), (key, message) => {
        const tag = new Uint8Array(20);
        new HmacSha1(key).sign(message, message.length, tag);
        expect(hex(tag)).toBe(createHmac('sha1', key).update(message).digest('hex'));
      }),
    );
  });

  test('keystreams made ahead are those made one by one, whatever comes in whatever order', () => {
    const packet = fc.record({
      step: fc.constantFrom(1, 1, 1, 1, 2, 7, -1, -3, 60_000),
      ssrc: fc.constantFrom(7, 7, 7, 8),
      length: fc.oneof(fc.constant(160), fc.integer({ min: 0, max: 1500 })),
    });
    const of = (iv: Uint8Array, ssrc: number, index: number) => {
      iv.fill(9).set(bytes(index.toString(16).padStart(12, '0')), 8);
      iv[14] = 0;
      iv[15] = 1;
      iv[0] = ssrc;
    };
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 60 }), fc.constantFrom(1, 8), (packets, most) => {
        const key = randomBytes(16);
        const ahead = new Keystreams(new AesCounter(key), most, of);
        const single = new AesCounter(key);
        let index = 100;
        for (const { step, ssrc, length } of packets) {
          index = Math.max(0, index + step);
          const iv = new Uint8Array(16);
          of(iv, ssrc, index);
          const at = ahead.of(ssrc, index, length);
          expect(hex(ahead.stream.subarray(at, at + length))).toBe(
            hex(single.keystream(iv, length).subarray(0, length)),
          );
        }
      }),
    );
  });

  test('GCM of any packet is that of node:crypto', () => {
    const args = [fc.uint8Array({ minLength: 12, maxLength: 80 }), fc.uint8Array({ maxLength: 200 })] as const;
    fc.assert(
      fc.property(...args, fc.boolean(), (header, payload, wide) => {
        const key = randomBytes(wide ? 32 : 16);
        const salt = new Uint8Array(12);
        const gcm = createCipheriv(wide ? 'aes-256-gcm' : 'aes-128-gcm', key, bytes('000000000007000000010002'));
        gcm.setAAD(header);
        const expected = Buffer.concat([gcm.update(payload), gcm.final(), gcm.getAuthTag()]);
        const data = Buffer.concat([header, payload]);
        const tag = new Uint8Array(16);
        const transform = new GaloisTransform({ key, salt, auth: salt }, false);
        transform.seal(data, header.length, data.length, 7, 0x1_0002, 1, tag);
        expect(hex(data.subarray(header.length)) + hex(tag)).toBe(hex(expected));
      }),
    );
  });
});

describe.each(SRTP_PROFILES)('%s', (profile) => {
  test('what is sent arrives unchanged, RTP with sources, extension and all, and RTCP', () => {
    const key = aKey(profile);
    const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 3 }), (payload, csrcs) => {
        const sequence = (sender.position.sequence + 1) & 0xffff;
        const extension = payload.length % 3 === 0 ? { profile: 0xbede, data: payload.subarray(0, 9) } : undefined;
        const fields = { payloadType: 8, sequence, timestamp: 5, ssrc: 77, payload, csrcs };
        const packet = buildRtp(extension ? { ...fields, extension } : fields);
        const wire = copy(sender.protectRtp(packet));
        expect(wire.length).toBe(packet.length + srtpProfile(profile).rtpTagBytes);
        expect(hex(receiver.openRtp(wire))).toBe(hex(packet));
        const report = rtcp(77);
        expect(hex(receiver.openRtcp(copy(sender.protectRtcp(report))))).toBe(hex(report));
      }),
      { numRuns: 60 },
    );
  });

  test('no bit can be changed, and nothing opens under another key', () => {
    const key = aKey(profile);
    const sender = new SrtpSender(key);
    const wires = [copy(sender.protectRtp(rtp(1))), copy(sender.protectRtcp(rtcp()))];
    for (const [kind, wire] of wires.entries()) {
      const open = (data: Uint8Array, under = key) => {
        const receiver = new SrtpReceiver(under);
        return kind === 0 ? receiver.openRtp(data) : receiver.openRtcp(data);
      };
      fc.assert(
        fc.property(fc.nat(wire.length * 8 - 1), (bit) => {
          const broken = copy(wire);
          broken[bit >> 3]! ^= 1 << (bit & 7);
          expect(['forged', 'malformed']).toContain(open(broken));
        }),
        { numRuns: 100 },
      );
      expect(open(copy(wire), aKey(profile))).toBe('forged');
      expect(typeof open(copy(wire))).toBe('object');
    }
  });

  test('each packet is taken once, whatever its order, also where sequence numbers turn over', () => {
    const steps = fc.array(fc.integer({ min: -20, max: 40 }), { maxLength: 60 });
    fc.assert(
      // The first packet that arrives is the thirtieth: a turn that was over before it nobody could know of.
      fc.property(fc.integer({ min: 65_300, max: 65_505 }), steps, (first, jumps) => {
        const key = aKey(profile);
        const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
        const wires = Array.from({ length: 200 }, (_, i) => copy(sender.protectRtp(rtp(first + i))));
        const taken = new Set<number>();
        let at = 30;
        for (const jump of [0, ...jumps]) {
          at = Math.max(0, Math.min(199, at + jump));
          const known = taken.has(at) || Math.max(at, ...taken) - at >= 128;
          const result = receiver.openRtp(copy(wires[at]!));
          if (known) expect(result).toBe('replayed');
          else expect(typeof result).toBe('object');
          taken.add(at);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('against werift, which shares no code with ours', () => {
  test.each([
    ['AES_CM_128_HMAC_SHA1_80', 1],
    ['AEAD_AES_128_GCM', 7],
  ] as const)('%s, both ways, RTP and RTCP, over a turn of the sequence number', (profile, id) => {
    const [ours, theirs] = [aKey(profile), aKey(profile)];
    const { keyBytes } = srtpProfile(profile);
    const part = (key: SrtpKey, salt: boolean) =>
      Buffer.from(salt ? key.master.subarray(keyBytes) : key.master.subarray(0, keyBytes));
    const keys = {
      localMasterKey: part(theirs, false),
      localMasterSalt: part(theirs, true),
      remoteMasterKey: part(ours, false),
      remoteMasterSalt: part(ours, true),
    };
    const werift = { rtp: new SrtpSession({ keys, profile: id }), rtcp: new SrtcpSession({ keys, profile: id }) };
    const [sender, receiver] = [new SrtpSender(ours), new SrtpReceiver(theirs)];
    for (let i = 0; i < 12; i++) {
      const packet = Buffer.from(rtp(65_530 + i));
      expect(hex(werift.rtp.decrypt(Buffer.from(sender.protectRtp(packet))))).toBe(hex(packet));
      const parsed = RtpPacket.deSerialize(packet);
      const wire = werift.rtp.encrypt(parsed.payload, new RtpHeader({ ...parsed.header }));
      expect(hex(receiver.openRtp(copy(wire)))).toBe(hex(packet));
      const report = Buffer.from(rtcp());
      expect(hex(werift.rtcp.decrypt(Buffer.from(sender.protectRtcp(report))))).toBe(hex(report));
      expect(hex(receiver.openRtcp(copy(werift.rtcp.encrypt(report))))).toBe(hex(report));
    }
  });
});

describe('indexes', () => {
  test('the window agrees with a list of all that was seen', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 300 }), (indexes) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        for (const index of indexes) {
          const highest = Math.max(-1, ...seen);
          expect(window.isNew(index)).toBe(!seen.has(index) && highest - index < 128);
          if (!window.isNew(index)) continue;
          window.add(index);
          seen.add(index);
        }
      }),
    );
  });

  test('the estimate is right for what is less than half a turn away', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.integer({ min: -32_000, max: 32_000 }), (highest, away) => {
        fc.pre(highest + away >= 0);
        expect(estimateIndex((highest + away) % 65_536, highest)).toBe(highest + away);
      }),
    );
  });
});

describe('a line under keys', () => {
  const agreed = (send: SrtpKey, receive: SrtpKey) => ({ send, receive });

  test('reads nothing in the clear once SRTP is agreed, and counts why', () => {
    const [a, b] = [aKey('AES_CM_128_HMAC_SHA1_80'), aKey('AES_CM_128_HMAC_SHA1_80')];
    const line = new SrtpLine();
    const peer = new SrtpSender(b);
    expect(line.openRtp(rtp(1))).toBeDefined();
    line.use(agreed(a, b));
    expect(line.openRtp(rtp(2))).toBeUndefined();
    const wire = copy(peer.protectRtp(rtp(3)));
    expect(line.openRtp(copy(wire))).toBeDefined();
    expect(line.openRtp(copy(wire))).toBeUndefined();
    expect(line.openRtcp(copy(wire).subarray(0, 9))).toBeUndefined();
    expect(line.counts).toEqual({ forged: 1, replayed: 1, unprotected: 1 });
  });

  test('says nothing at all while keys are agreed but not there yet', () => {
    const line = new SrtpLine();
    line.require();
    expect(line.protectRtp(rtp(1))).toBeUndefined();
    expect(line.protectRtcp(rtcp())).toBeUndefined();
    expect(line.openRtp(rtp(1))).toBeUndefined();
  });

  test.each([
    ['begins its counting anew', 0],
    ['counts on', 1],
  ])('a peer that changes its key and %s is heard, with what was on its way under the old one', (_how, rollover) => {
    const [ours, old, fresh] = [0, 1, 2].map(() => aKey('AES_CM_128_HMAC_SHA1_80')) as [SrtpKey, SrtpKey, SrtpKey];
    const line = new SrtpLine();
    line.use(agreed(ours, old));
    const before = new SrtpSender(old);
    for (const sequence of [65_535, 0, 1]) expect(line.openRtp(copy(before.protectRtp(rtp(sequence))))).toBeDefined();
    const late = copy(before.protectRtp(rtp(2)));
    line.use(agreed(ours, fresh));
    expect(line.openRtp(late)).toBeDefined();
    const after = new SrtpSender(fresh, { rollover, sequence: 2, rtcpIndex: 0 });
    expect(line.openRtp(copy(after.protectRtp(rtp(3))))).toBeDefined();
    // From here on the old key is no good any more.
    expect(line.openRtp(copy(before.protectRtp(rtp(4))))).toBeUndefined();
  });

  test('the same keys said again change nothing: no index is used twice', () => {
    const keys = agreed(aKey('AES_CM_128_HMAC_SHA1_80'), aKey('AES_CM_128_HMAC_SHA1_80'));
    const line = new SrtpLine();
    line.use(keys);
    line.protectRtp(rtp(65_535));
    line.protectRtp(rtp(0));
    line.use(structuredClone(keys));
    expect(line.carried?.sent).toMatchObject({ rollover: 1, sequence: 0 });
  });

  test('a key with a name (MKI) is only opened by it', () => {
    const master = aKey('AES_CM_128_HMAC_SHA1_80');
    const named = { ...master, mki: bytes('0007') };
    for (const profile of ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'] as const) {
      const key = aKey(profile, bytes('0007'));
      const [sender, receiver] = [new SrtpSender(key), new SrtpReceiver(key)];
      expect(hex(receiver.openRtp(copy(sender.protectRtp(rtp(1, bytes('0102'))))))).toBe(hex(rtp(1, bytes('0102'))));
      expect(hex(receiver.openRtcp(copy(sender.protectRtcp(rtcp()))))).toBe(hex(rtcp()));
    }
    expect(new SrtpReceiver(named).openRtp(copy(new SrtpSender(master).protectRtp(rtp(1))))).toBe('forged');
  });
});
