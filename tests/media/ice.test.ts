import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IceLite } from '../../src/media/ice/ice-lite.ts';
import {
  ATTRIBUTE,
  BINDING_REQUEST,
  buildStun,
  isAuthentic,
  isStun,
  parseStun,
  xorAddress,
} from '../../src/media/ice/stun.ts';

const bytes = (hex: string) => Buffer.from(hex.replace(/\s/g, ''), 'hex');
/** RFC 5769 section 2.1, and its password. */
const REQUEST = bytes(`00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae 80 22 00 10 53 54 55 4e 20 74 65 73
  74 20 63 6c 69 65 6e 74 00 24 00 04 6e 00 01 ff 80 29 00 08 93 2f f9 b1 51 26 3b 36 00 06 00 09 65 76 74 6a 3a 68
  36 76 59 20 20 20 00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2 80 28 00 04 e5 7a 3b cf`);
const PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt';
const TRANSACTION = bytes('b7e7a701bc34d686fa87dfae');
const credentials = { localUfrag: 'ours', localPassword: PASSWORD, remoteUfrag: 'them' };

interface CheckOptions {
  username?: string;
  password?: string | undefined;
  priority?: number;
  use?: boolean;
  more?: [number, Buffer][];
  transaction?: Buffer;
}
function check({ username = 'ours:them', priority = 100, use = false, more = [], ...rest }: CheckOptions = {}): Buffer {
  const transaction = rest.transaction ?? randomBytes(12);
  const number = Buffer.alloc(4);
  number.writeUInt32BE(priority);
  const attributes: [number, Buffer][] = [
    [ATTRIBUTE.USERNAME, Buffer.from(username)],
    [ATTRIBUTE.PRIORITY, number],
    [ATTRIBUTE.ICE_CONTROLLING, Buffer.alloc(8, 1)],
    ...(use ? [[ATTRIBUTE.USE_CANDIDATE, Buffer.alloc(0)] as [number, Buffer]] : []),
    ...more,
  ];
  return buildStun(BINDING_REQUEST, transaction, attributes, 'password' in rest ? rest.password : PASSWORD);
}
const errorOf = (reply: Uint8Array | undefined) => {
  const value = parseStun(reply!)!.attributes.get(ATTRIBUTE.ERROR_CODE);
  return value && value[2]! * 100 + value[3]!;
};

describe('STUN', () => {
  test('RFC 5769 2.1: the sample request is read, and its password holds', () => {
    const message = parseStun(REQUEST)!;
    expect(message.type).toBe(BINDING_REQUEST);
    expect(message.attributes.get(ATTRIBUTE.USERNAME)!.toString()).toBe('evtj:h6vY');
    expect(isAuthentic(message, PASSWORD)).toBe(true);
    expect(isAuthentic(message, `${PASSWORD}x`)).toBe(false);
  });

  test('RFC 5769 2.2 and 2.3: addresses are hidden as in the samples', () => {
    expect(xorAddress('192.0.2.1', 32_853, TRANSACTION).toString('hex')).toBe('0001a147e112a643');
    expect(xorAddress('2001:db8:1234:5678:11:2233:4455:6677', 32_853, TRANSACTION).toString('hex')).toBe(
      '0002a1470113a9faa5d3f179bc25f4b5bed2b9d9',
    );
  });

  test('one changed bit before its FINGERPRINT makes it unreadable', () => {
    fc.assert(
      fc.property(fc.nat((REQUEST.length - 8) * 8 - 1), (bit) => {
        const broken = Buffer.from(REQUEST);
        broken[bit >> 3]! ^= 1 << (bit & 7);
        expect(parseStun(broken)).toBeUndefined();
      }),
    );
  });

  test('any bytes are read or refused, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (data) => {
        const framed = Uint8Array.from([0, 1, 0, data.length, 0x21, 0x12, 0xa4, 0x42, ...TRANSACTION, ...data]);
        parseStun(framed);
        parseStun(data);
        isStun(data);
      }),
    );
  });
});

describe('the lite side of ICE', () => {
  test('answers a check with the address it came from, signed', () => {
    const ice = new IceLite(credentials);
    const { reply, nominated } = ice.receive(check({ transaction: TRANSACTION }), '192.0.2.1', 5000, 0);
    const answer = parseStun(reply!)!;
    expect(answer.type).toBe(0x0101);
    expect(answer.attributes.get(ATTRIBUTE.XOR_MAPPED_ADDRESS)).toEqual(xorAddress('192.0.2.1', 5000, TRANSACTION));
    expect(isAuthentic(answer, PASSWORD)).toBe(true);
    expect([nominated, ice.isChecked('192.0.2.1', 5000), ice.nominated]).toEqual([false, true, undefined]);
  });

  test.each([
    [400, 'no credentials', { password: undefined }],
    [401, 'a wrong password', { password: 'another-password-of-22-chars' }],
    [401, "somebody else's name", { username: 'ours:other' }],
    [420, 'an attribute that must be understood', { more: [[0x0042, Buffer.alloc(4)]] as [number, Buffer][] }],
    [487, 'two that want to be led', { more: [[ATTRIBUTE.ICE_CONTROLLED, Buffer.alloc(8)]] as [number, Buffer][] }],
  ])('answers %i to %s, and the address counts for nothing', (code, _what, options) => {
    const ice = new IceLite(credentials);
    const { reply } = ice.receive(check({ use: true, ...options }), '192.0.2.1', 5000, 0);
    expect(errorOf(reply)).toBe(code);
    expect([ice.isChecked('192.0.2.1', 5000), ice.nominated, ice.refused]).toEqual([false, undefined, 1]);
  });

  test('follows the pair that the peer chooses, and of several the best, until that falls silent', () => {
    const ice = new IceLite(credentials);
    const choose = (port: number, priority: number, now: number) =>
      ice.receive(check({ use: true, priority }), '192.0.2.1', port, now).nominated;
    expect(choose(5000, 100, 0)).toBe(true);
    expect(choose(5000, 100, 10)).toBe(false);
    expect(choose(5001, 50, 20)).toBe(false);
    expect(choose(5002, 200, 30)).toBe(true);
    expect(ice.nominated).toMatchObject({ port: 5002 });
    expect(choose(5001, 50, 10_000)).toBe(false);
    expect(choose(5001, 50, 13_000)).toBe(true);
  });

  test('a copy of a check from elsewhere moves nothing, though it is authentic; the same again from its place is answered', () => {
    const ice = new IceLite(credentials);
    const first = check({ use: true });
    expect(ice.receive(first, '192.0.2.1', 5000, 0).nominated).toBe(true);
    expect(ice.receive(first, '198.51.100.9', 9, 1)).toMatchObject({
      reply: undefined,
      passed: false,
      nominated: false,
    });
    expect(ice.isChecked('198.51.100.9', 9)).toBe(false);
    expect(ice.receive(first, '192.0.2.1', 5000, 2).reply).toBeDefined();
    expect(ice.nominated).toMatchObject({ address: '192.0.2.1', port: 5000 });
  });

  test('keeps a bounded number of pairs, and says nothing to what is no check', () => {
    const ice = new IceLite(credentials);
    for (let port = 1; port <= 200; port++) ice.receive(check(), '192.0.2.1', port, 0);
    expect(Array.from({ length: 200 }, (_, i) => ice.isChecked('192.0.2.1', i + 1)).filter(Boolean)).toHaveLength(64);
    expect(ice.receive(Buffer.alloc(40), '192.0.2.1', 1, 0).reply).toBeUndefined();
    expect(ice.receive(buildStun(0x0101, TRANSACTION, []), '192.0.2.1', 1, 0).reply).toBeUndefined();
  });
});
