import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBytes, isOneHost } from '../../src/core/ip-address.ts';

describe('the bytes of an IP address', () => {
  it.each([
    ['192.0.2.7', 'c0000207'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['2001:db8::10:5070', '20010db8000000000000000000105070'],
    ['::ffff:192.0.2.7', '00000000000000000000ffffc0000207'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
  ])('%s', (address, hex) => {
    expect(addressBytes(address)?.toString('hex')).toBe(hex);
  });

  it.each(['', 'x', '1.2.3', '1.2.3.256', ':::', '1::2::3', '1:2:3:4:5:6:7:8:9', 'phone.example'])(
    'are none for %j',
    (text) => {
      expect(addressBytes(text)).toBeUndefined();
    },
  );

  it('say what any way of writing it says', () => {
    // The URL parser writes an IPv6 address in its one short form.
    const short = (address: string) => new URL(`http://[${address}]`).hostname;
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const bytes = addressBytes(address)!;
        const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
        expect(bytes.length).toBe(16);
        expect(short(groups.join(':'))).toBe(short(address));
      }),
    );
    fc.assert(fc.property(fc.ipV4(), (address) => [...addressBytes(address)!].join('.') === address));
  });
});

describe('audio is sent to one host', () => {
  it.each(['192.0.2.7', '10.0.0.1', '127.0.0.1', '223.255.255.255', '::1', '2001:db8::7', 'fe80::1%eth0'])(
    '%s',
    (address) => {
      expect(isOneHost(address)).toBe(true);
    },
  );

  it.each(['0.0.0.0', '::', '224.0.0.1', '239.1.1.1', '255.255.255.255', 'ff02::1', 'phone.example', ''])(
    'and not to %j, whatever a description says',
    (address) => {
      expect(isOneHost(address)).toBe(false);
    },
  );
});
