import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestResponse, digestSecret, formatChallenge, parseCredentials } from '../../src/sip/auth/digest.ts';
import { DigestGuard, type DigestSecrets } from '../../src/sip/auth/digest-guard.ts';
import { Nonces } from '../../src/sip/auth/nonces.ts';
import { SipRequest } from '../../src/sip/message/message.ts';

const ALGORITHMS = ['SHA-256', 'MD5'] as const;

describe('a digest', () => {
  it('is that of RFC 7616 3.9.1, for both algorithms', () => {
    const facts = {
      uri: '/dir/index.html',
      qop: 'auth',
      nc: '00000001',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    };
    const response = (algorithm: (typeof ALGORITHMS)[number]) =>
      digestResponse(digestSecret(algorithm, 'Mufasa', 'http-auth@example.org', 'Circle of Life'), 'GET', {
        ...facts,
        algorithm,
      });
    expect(response('MD5')).toBe('8ca523f5e9506fed4657c9700eebdbec');
    expect(response('SHA-256')).toBe('753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
  });

  it('is that of RFC 2617 3.5', () => {
    const secret = digestSecret('MD5', 'Mufasa', 'testrealm@host.com', 'Circle Of Life');
    expect(
      digestResponse(secret, 'GET', {
        algorithm: 'MD5',
        uri: '/dir/index.html',
        qop: 'auth',
        nc: '00000001',
        nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
        cnonce: '0a4f113b',
      }),
    ).toBe('6629fae49393a05397450978507c4ef1');
  });

  it('is read as a peer writes it, in any order and spacing', () => {
    const header =
      'digest  response="6629FAE49393a05397450978507c4ef1",uri="sip:b,a@h;x=\\"y\\"", nc=0000000A , qop=AUTH,' +
      ' cnonce="",realm="a realm, quoted", nonce="n=", username="Ann \\"A\\"", opaque="o", algorithm=md5';
    expect(parseCredentials(header)).toEqual({
      username: 'Ann "A"',
      realm: 'a realm, quoted',
      nonce: 'n=',
      uri: 'sip:b,a@h;x="y"',
      response: '6629fae49393a05397450978507c4ef1',
      algorithm: 'MD5',
      opaque: 'o',
      qop: 'auth',
      cnonce: '',
      nc: '0000000A',
    });
  });

  it.each([
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['no response', 'Digest username="a", realm="r", nonce="n", uri="sip:b"'],
    ['an unknown algorithm', 'Digest username="a", realm="r", nonce="n", uri="sip:b", response="0", algorithm=MD4'],
    ['a doubled parameter', 'Digest username="a", username="b", realm="r", nonce="n", uri="sip:b", response="0"'],
    ['a bad count', 'Digest username="a", realm="r", nonce="n", uri="sip:b", response="0", nc=1'],
    ['an endless value', `Digest username="${'a'.repeat(600)}", realm="r", nonce="n", uri="sip:b", response="0"`],
  ])('is not read from %s', (_what, header) => {
    expect(parseCredentials(header)).toBeUndefined();
  });

  it('is read or left, never thrown at, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseCredentials(text);
        parseCredentials(`Digest ${text}`);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('nonces', () => {
  const address = '192.0.2.1';
  const nonces = (limit = 100) => new Nonces({ lifetimeMs: 60_000, limit });

  it('are fresh for a while, for the address they were made for', () => {
    const book = nonces();
    const nonce = book.issue(address, 1_000);
    expect(book.check(nonce, address, 61_000)).toBe('fresh');
    expect(book.check(nonce, address, 61_001)).toBe('stale');
    expect(book.check(nonce, '192.0.2.2', 1_000)).toBe('unknown');
    expect(nonces().check(nonce, address, 1_000)).toBe('unknown');
    expect(book.size).toBe(0);
  });

  it('are not made by others: one changed character and it is none of ours', () => {
    const book = nonces();
    const nonce = book.issue(address, 1_000);
    fc.assert(
      fc.property(fc.nat(nonce.length - 1), fc.constantFrom(...'abcXYZ019._-'), (at, char) => {
        fc.pre(nonce[at] !== char);
        expect(book.check(nonce.slice(0, at) + char + nonce.slice(at + 1), address, 1_000)).toBe('unknown');
      }),
    );
  });

  it('take each count once, in whatever order they arrive', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 100 }), (counts) => {
        const book = nonces();
        const nonce = book.issue(address, 0);
        const taken = new Set<number>();
        let highest = 0;
        for (const count of counts) {
          const fits = !taken.has(count) && count > highest - 32;
          expect(book.use(nonce, address, count)).toBe(fits);
          if (fits) taken.add(count);
          highest = Math.max(highest, fits ? count : 0);
        }
      }),
    );
  });

  it('whose counts had to be forgotten are stale: no request can be played again', () => {
    const book = nonces(2);
    const made = [1_000, 2_000, 3_000, 4_000].map((at) => book.issue(address, at));
    for (const nonce of made.slice(0, 3)) expect(book.use(nonce, address, 1)).toBe(true);
    expect(book.size).toBe(2);
    expect(made.map((nonce) => book.check(nonce, address, 5_000))).toEqual(['stale', 'fresh', 'fresh', 'fresh']);
  });
});

describe('a guarded server', () => {
  const secrets: DigestSecrets = Object.fromEntries(
    ALGORITHMS.map((algorithm) => [algorithm, digestSecret(algorithm, 'branch', 'bank', 'secret')]),
  );
  const users = (name: string) => (name === 'branch' ? secrets : undefined);
  const peer = '192.0.2.1';

  function invite(authorization?: string, uri = 'sip:bank@192.0.2.9'): SipRequest {
    const request = new SipRequest('INVITE', uri);
    if (authorization !== undefined) request.headers.append('Authorization', authorization);
    return request;
  }

  function answer(
    challenge: string,
    facts: { password?: string; nc?: number; user?: string; uri?: string; method?: string; qop?: boolean } = {},
  ): string {
    const { password = 'secret', nc = 1, user = 'branch', uri = 'sip:bank@192.0.2.9', method = 'INVITE' } = facts;
    const [, nonce] = /nonce="([^"]+)"/.exec(challenge)!;
    const [, opaque] = /opaque="([^"]+)"/.exec(challenge)!;
    const algorithm = ALGORITHMS.find((name) => challenge.includes(`algorithm=${name}`))!;
    const count = nc.toString(16).padStart(8, '0');
    const counted = facts.qop === false ? { qop: undefined } : { qop: 'auth', nc: count, cnonce: 'c' };
    const response = digestResponse(digestSecret(algorithm, user, 'bank', password), method, {
      algorithm,
      nonce: nonce!,
      uri,
      nc: undefined,
      cnonce: undefined,
      ...counted,
    });
    const rest = facts.qop === false ? '' : `, qop=auth, nc=${count}, cnonce="c"`;
    return `Digest username="${user}", realm="bank", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}, opaque="${opaque}"${rest}`;
  }

  const verify = (guard: DigestGuard, request: SipRequest, now = 1_000, from = peer) =>
    guard.verify(request, 'bank', from, now, users);

  it('offers SHA-256 before MD5, and takes either', () => {
    const guard = new DigestGuard();
    const challenges = guard.challenge('bank', peer, 0);
    expect(challenges.map((one) => /algorithm=([\w-]+)/.exec(one)?.[1])).toEqual(['SHA-256', 'MD5']);
    expect(challenges[0]).toContain('qop="auth"');
    for (const algorithm of ALGORITHMS) {
      const [challenge] = guard.challenge('bank', peer, 0, { algorithms: [algorithm] });
      expect(verify(guard, invite(answer(challenge!)))).toEqual({ kind: 'accepted', username: 'branch' });
    }
  });

  it('takes a count once, and asks again with stale=true', () => {
    const guard = new DigestGuard();
    const [challenge] = guard.challenge('bank', peer, 0);
    const first = invite(answer(challenge!));
    expect(verify(guard, first).kind).toBe('accepted');
    expect(verify(guard, first).kind).toBe('stale');
    expect(verify(guard, invite(answer(challenge!, { nc: 2 }))).kind).toBe('accepted');
    expect(guard.challenge('bank', peer, 0, { stale: true })[0]).toMatch(/stale=true$/);
    expect(guard.size).toBe(1);
  });

  it('takes an old nonce for stale when the password is right, and for wrong when it is not', () => {
    const guard = new DigestGuard({ lifetimeMs: 100 });
    const [challenge] = guard.challenge('bank', peer, 0);
    expect(verify(guard, invite(answer(challenge!)), 1_000).kind).toBe('stale');
    expect(verify(guard, invite(answer(challenge!, { password: 'guess' })), 1_000).kind).toBe('wrong');
  });

  it('takes no answer made by another address, for another number, method, or user', () => {
    const guard = new DigestGuard();
    const [challenge] = guard.challenge('bank', peer, 0);
    expect(verify(guard, invite(answer(challenge!)), 1_000, '192.0.2.2').kind).toBe('absent');
    expect(verify(guard, invite(answer(challenge!), 'sip:premium@192.0.2.9')).kind).toBe('mismatch');
    expect(verify(guard, invite(answer(challenge!, { method: 'OPTIONS' }))).kind).toBe('wrong');
    expect(verify(guard, invite(answer(challenge!, { user: 'nobody' }))).kind).toBe('wrong');
    expect(verify(guard, invite(answer(challenge!).replace(/opaque="[^"]+"/, 'opaque="x"'))).kind).toBe('mismatch');
    expect(verify(guard, invite()).kind).toBe('absent');
    expect(guard.size).toBe(0);
  });

  it('serves peers of RFC 2069, which count nothing, once per nonce', () => {
    const guard = new DigestGuard();
    const [challenge] = guard.challenge('bank', peer, 0);
    const request = invite(answer(challenge!, { qop: false }));
    expect(verify(guard, request).kind).toBe('accepted');
    expect(verify(guard, request).kind).toBe('stale');
  });

  it('says what it wants in one line', () => {
    const line = formatChallenge({ realm: 'a "b"', nonce: 'n', opaque: 'o', algorithm: 'MD5', stale: false });
    expect(line).toBe('Digest realm="a \\"b\\"", nonce="n", opaque="o", algorithm=MD5, qop="auth"');
  });
});
