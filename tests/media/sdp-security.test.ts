import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import type { RemoteAudio } from '../../src/media/ports.ts';
import type { MediaPolicy } from '../../src/media/sdp/media-policy.ts';
import { acceptAnswer, answerOffer, type LocalMedia, SdpNegotiator } from '../../src/media/sdp/sdp.ts';
import { SRTP_PROFILES } from '../../src/media/srtp/profiles.ts';

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz';
const OTHER = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR';
const SAMPLE = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0').toUpperCase()).join(':');
const FINGERPRINT = { algorithm: 'sha-256', value: SAMPLE };
const local: LocalMedia = { address: '192.0.2.7', port: 40_000, sessionId: '7', fingerprint: FINGERPRINT };
const optional: MediaPolicy = { encryption: 'optional', sdes: true };
const required: MediaPolicy = { encryption: 'required', sdes: true };
const guarded: MediaPolicy = { encryption: 'optional', sdes: false };
const off: MediaPolicy = { encryption: 'off', sdes: true };

const session = (...lines: string[]) => [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  ...lines,
];
const offer = (...lines: string[]) => `${session(...lines).join('\r\n')}\r\n`;
const crypto = (key = KEY, more = '') => `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}${more}`;
const answer = (sdp: string, policy: MediaPolicy) => answerOffer(sdp, { ...local, policy });
const status = (work: () => unknown): number | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.sipStatus;
  }
};
const sdesOf = ({ security }: RemoteAudio) => (security?.by === 'sdes' ? security.keys : undefined);
const base64 = (data: Uint8Array) => Buffer.from(data).toString('base64');

describe('SDES', () => {
  test('the keys of an offer and its answer are those that encrypt, under the same tag and profile', () => {
    const { answer: text, remote } = answer(offer('m=audio 5004 RTP/SAVP 0', crypto()), optional);
    const keys = sdesOf(remote)!;
    expect(base64(keys.receive.master)).toBe(KEY);
    expect(text).toContain('m=audio 40000 RTP/SAVP 0\r\n');
    expect(text).toContain(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${base64(keys.send.master)}\r\n`);
  });

  test('of several suites the first that we know is taken', () => {
    const unknown = `a=crypto:1 F8_128_HMAC_SHA1_80 inline:${KEY}`;
    const gcm = `a=crypto:7 AEAD_AES_128_GCM inline:${base64(new Uint8Array(28))}`;
    const { answer: text } = answer(offer('m=audio 5004 RTP/SAVP 0', unknown, gcm, crypto()), optional);
    expect(text).toMatch(/a=crypto:7 AEAD_AES_128_GCM inline:/);
  });

  test.each([
    ['without encryption of the audio', crypto(KEY, ' UNENCRYPTED_SRTP')],
    ['without encryption of the reports', crypto(KEY, ' WSH=64 UNENCRYPTED_SRTCP')],
    ['without authentication', crypto(KEY, ' UNAUTHENTICATED_SRTP')],
    ['with keys that are derived anew', crypto(KEY, ' KDR=4')],
    ['with several keys', crypto(KEY, `;inline:${OTHER}`)],
    ['with a key that is too short', crypto(KEY.slice(8))],
    ['without keys', 'a=sendrecv'],
  ])('an offer %s is refused', (_what, line) => {
    expect(status(() => answer(offer('m=audio 5004 RTP/SAVP 0', line), optional))).toBe(488);
  });

  test('lifetime, name of the key, hints on the window and what may be passed over do no harm', () => {
    const line = crypto(KEY, '|2^31|66051:4 WSH=128 -FUTURE');
    const keys = sdesOf(answer(offer('m=audio 5004 RTP/SAVP 0', line), optional).remote)!;
    expect(keys.receive.mki).toEqual(Uint8Array.of(0, 1, 2, 3));
  });

  test('of a plain and an encrypted stream the one is taken that the trunk wants', () => {
    const both = offer('m=audio 5002 RTP/AVP 0', 'm=audio 5004 RTP/SAVP 0', crypto());
    expect(answer(both, optional).answer).toMatch(/m=audio 0 RTP\/AVP 0\r\nm=audio 40000 RTP\/SAVP 0\r\n/);
    expect(answer(both, required).remote.port).toBe(5004);
    expect(answer(both, off).answer).toMatch(/m=audio 40000 RTP\/AVP 0\r\n(.*\r\n)*m=audio 0 RTP\/SAVP 0\r\n/);
    expect(answer(both, guarded).remote).toMatchObject({ port: 5002 });
  });

  test('keys beside the plain profile are taken where that is allowed, and passed over where not', () => {
    const best = offer('m=audio 5004 RTP/AVP 0', crypto());
    expect(answer(best, optional).answer).toMatch(/m=audio 40000 RTP\/AVP 0\r\n(.*\r\n)*a=crypto:1 /);
    expect(sdesOf(answer(best, guarded).remote)).toBeUndefined();
    expect(answer(best, guarded).answer).not.toContain('crypto');
    expect(answer(best, off).answer).not.toContain('crypto');
  });

  test.each([
    ['plain, where encryption is required', 'm=audio 5004 RTP/AVP 0', required],
    [
      'plain with keys, where they may not be seen and encryption is required',
      'm=audio 5004 RTP/AVP 0',
      { ...required, sdes: false },
    ],
    ['encrypted, where it is off', 'm=audio 5004 RTP/SAVP 0', off],
    ['encrypted by keys that others can read', 'm=audio 5004 RTP/SAVP 0', guarded],
  ])('an offer %s is refused', (what, line, policy) => {
    const more = what.startsWith('plain,') ? [] : [crypto()];
    expect(status(() => answer(offer(line, ...more), policy))).toBe(488);
  });

  test('our key stays while the peer’s does, and changes with it', () => {
    const negotiator = new SdpNegotiator({ ...local, policy: optional });
    const ours = (key: string) =>
      base64(sdesOf(negotiator.answer(offer('m=audio 5004 RTP/SAVP 0', crypto(key))).remote)!.send.master);
    const first = ours(KEY);
    expect(ours(KEY)).toBe(first);
    const second = ours(OTHER);
    expect(second).not.toBe(first);
    expect(ours(OTHER)).toBe(second);
  });

  test('a call that is encrypted cannot be taken back to the clear, by offer or answer', () => {
    const negotiator = new SdpNegotiator({ ...local, policy: optional });
    negotiator.answer(offer('m=audio 5004 RTP/SAVP 0', crypto()));
    expect(status(() => negotiator.answer(offer('m=audio 5004 RTP/AVP 0')))).toBe(488);
    expect(negotiator.offer()).toContain('m=audio 40000 RTP/SAVP ');
    expect(status(() => negotiator.accept(offer('m=audio 5004 RTP/AVP 0')))).toBe(488);
  });

  test('our offer names a key for each suite; the answer chooses one, and the two agree', () => {
    for (const [i, profile] of SRTP_PROFILES.entries()) {
      const negotiator = new SdpNegotiator({ ...local, policy: required });
      const own = negotiator.offer();
      const line = own.split('\r\n').find((text) => text.startsWith(`a=crypto:${i + 1} ${profile} `))!;
      const theirs = answerOffer(
        `${own
          .split('\r\n')
          .filter((text) => !text.startsWith('a=crypto'))
          .join('\r\n')}${line}\r\n`,
        { address: '192.0.2.9', port: 6000, sessionId: '9', policy: required },
      );
      const keys = sdesOf(negotiator.accept(theirs.answer))!;
      expect(keys.send).toEqual(sdesOf(theirs.remote)!.receive);
      expect(keys.receive).toEqual(sdesOf(theirs.remote)!.send);
    }
  });

  test('an offer of ours that may be answered in the clear is plain with keys beside it; the answer decides', () => {
    const negotiator = new SdpNegotiator({ ...local, policy: optional });
    expect(negotiator.offer()).toMatch(/m=audio 40000 RTP\/AVP .*\r\n(.*\r\n)*a=crypto:1 /);
    expect(negotiator.accept(offer('m=audio 5004 RTP/AVP 0')).security).toBeUndefined();
    const strict = new SdpNegotiator({ ...local, policy: required });
    strict.offer();
    expect(status(() => strict.accept(offer('m=audio 5004 RTP/AVP 0')))).toBe(488);
  });
});

describe('DTLS', () => {
  const UFRAG = ['a=ice-ufrag:abcd', 'a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa'];
  const browser = (...more: string[]) =>
    offer(
      'a=group:BUNDLE 0',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 110',
      'c=IN IP4 0.0.0.0',
      'a=rtpmap:111 opus/48000/2',
      'a=rtpmap:110 telephone-event/48000',
      'a=mid:0',
      'a=rtcp-mux',
      `a=fingerprint:sha-256 ${SAMPLE.toLowerCase()}`,
      'a=setup:actpass',
      ...UFRAG,
      ...more,
    );

  test("a browser's offer is answered with our certificate, one candidate, and the peer waits for nobody", () => {
    const { answer: text, remote } = answer(browser(), guarded);
    expect(remote.security).toEqual({ by: 'dtls', role: 'passive', fingerprints: [FINGERPRINT] });
    expect(remote).toMatchObject({ codec: 'opus', send: true, receive: true, ice: { remoteUfrag: 'abcd' } });
    const { localUfrag, localPassword } = remote.ice!;
    for (const line of [
      'a=group:BUNDLE 0',
      'a=ice-lite',
      'm=audio 40000 UDP/TLS/RTP/SAVPF 111 110',
      'a=mid:0',
      'a=rtcp-mux',
      'a=setup:passive',
      `a=fingerprint:sha-256 ${SAMPLE}`,
      `a=ice-ufrag:${localUfrag}`,
      `a=ice-pwd:${localPassword}`,
      'a=candidate:1 1 udp 2130706431 192.0.2.7 40000 typ host',
    ]) {
      expect(text.split('\r\n')).toContain(line);
    }
  });

  test('a session-level fingerprint and credentials count; without rtcp-mux there is no ICE', () => {
    const sdp = offer(`a=fingerprint:SHA-256 ${SAMPLE}`, ...UFRAG, 'm=audio 5004 UDP/TLS/RTP/SAVP 0', 'a=setup:active');
    const { remote, answer: text } = answer(sdp, required);
    expect(remote.security).toMatchObject({ by: 'dtls', role: 'passive' });
    expect(remote.ice).toBeUndefined();
    expect(text).not.toContain('ice');
  });

  test('a peer that is lite itself is where its description says: neither side would check anything', () => {
    const { remote, answer: text } = answer(
      offer(
        'a=ice-lite',
        'm=audio 5004 UDP/TLS/RTP/SAVPF 0',
        'a=rtcp-mux',
        `a=fingerprint:sha-256 ${SAMPLE}`,
        'a=setup:actpass',
        ...UFRAG,
      ),
      optional,
    );
    expect(remote).toMatchObject({ port: 5004, security: { by: 'dtls', role: 'passive' } });
    expect(remote.ice).toBeUndefined();
    expect(text).not.toContain('ice');
  });

  test.each([
    ['passive', 'active'],
    ['active', 'passive'],
    ['actpass', 'passive'],
  ])('to setup:%s we are %s', (theirs, ours) => {
    const sdp = offer('m=audio 5004 UDP/TLS/RTP/SAVP 0', `a=fingerprint:sha-256 ${SAMPLE}`, `a=setup:${theirs}`);
    const { answer: text, remote } = answer(sdp, optional);
    expect(text).toContain(`a=setup:${ours}\r\n`);
    expect(remote.security).toMatchObject({ role: ours });
  });

  test.each([
    ['without a fingerprint', ['a=setup:actpass']],
    ['with SHA-1 only', [`a=fingerprint:sha-1 ${SAMPLE.slice(0, 59)}`]],
    ['of which nobody begins', [`a=fingerprint:sha-256 ${SAMPLE}`, 'a=setup:holdconn']],
  ])('an offer %s is refused', (_what, lines) => {
    expect(status(() => answer(offer('m=audio 5004 UDP/TLS/RTP/SAVPF 0', ...lines), optional))).toBe(488);
  });

  test('is refused where encryption is off, and where there is no certificate of ours', () => {
    expect(status(() => answer(browser(), off))).toBe(488);
    const { fingerprint: _none, ...plain } = local;
    expect(status(() => answerOffer(browser(), { ...plain, policy: optional }))).toBe(488);
  });

  test('names for ICE stay over re-negotiations, until the peer changes its own', () => {
    const negotiator = new SdpNegotiator({ ...local, policy: optional });
    const ice = (sdp: string) => negotiator.answer(sdp).remote.ice!;
    const first = ice(browser());
    expect(ice(browser('a=sendonly'))).toEqual(first);
    const again = ice(browser().replace('a=ice-ufrag:abcd', 'a=ice-ufrag:wxyz'));
    expect(again.remoteUfrag).toBe('wxyz');
    expect(again.localUfrag).not.toBe(first.localUfrag);
  });

  test('our offer, where keys may not be seen and encryption is required, is DTLS, and is answered by ours', () => {
    const policy: MediaPolicy = { encryption: 'required', sdes: false };
    const negotiator = new SdpNegotiator({ ...local, policy });
    const own = negotiator.offer();
    expect(own).toMatch(/m=audio 40000 UDP\/TLS\/RTP\/SAVP .*\r\n(.*\r\n)*a=setup:actpass\r\n/);
    const theirs = answerOffer(own, { ...local, address: '192.0.2.9', policy });
    expect(negotiator.accept(theirs.answer).security).toMatchObject({ by: 'dtls', role: 'active' });
    expect(theirs.remote.security).toMatchObject({ by: 'dtls', role: 'passive' });
  });

  test('an offer of ours to a browser has what a browser asks for, is answered with its checks, and stays the same', () => {
    const policy: MediaPolicy = { encryption: 'required', sdes: false, ice: true };
    const negotiator = new SdpNegotiator({ ...local, policy });
    const own = negotiator.offer();
    for (const line of ['a=ice-lite', 'a=group:BUNDLE 0', 'a=mid:0', 'a=rtcp-mux', 'a=setup:actpass'])
      expect(own.split('\r\n')).toContain(line);
    expect(own).toMatch(/m=audio 40000 UDP\/TLS\/RTP\/SAVPF /);
    expect(own).toMatch(/a=candidate:1 1 udp \d+ 192\.0\.2\.7 40000 typ host\r\n/);
    const theirs = browser()
      .replace('a=setup:actpass', 'a=setup:active')
      .replace('a=ice-ufrag:abcd', 'a=ice-ufrag:wxyz');
    const { security, ice } = negotiator.accept(theirs);
    expect(security).toMatchObject({ by: 'dtls', role: 'passive' });
    expect(ice).toMatchObject({ remoteUfrag: 'wxyz' });
    expect(own).toContain(`a=ice-ufrag:${ice!.localUfrag}\r\n`);
    expect(own).toContain(`a=ice-pwd:${ice!.localPassword}\r\n`);
    expect(negotiator.offer()).toBe(own);
  });

  test('an offer of ours in a dialog that has ICE repeats it, under the names the browser knows', () => {
    const negotiator = new SdpNegotiator({ ...local, policy: optional });
    const { answer: text, remote } = negotiator.answer(browser());
    const own = negotiator.offer();
    const mid = /a=mid:.*/.exec(text)?.[0];
    for (const line of [mid, `a=ice-ufrag:${remote.ice!.localUfrag}`, 'a=ice-lite'])
      expect(own.split('\r\n')).toContain(line);
  });

  test('any mixture of such lines is answered or refused with 488, and an answer is never less safe than the trunk wants', () => {
    const lines = browser()
      .split('\r\n')
      .concat('m=audio 5004 RTP/SAVP 0', crypto(), 'm=audio 5004 RTP/AVP 0', 'a=crypto:');
    const policies = [optional, required, guarded, off];
    fc.assert(
      fc.property(fc.shuffledSubarray(lines), fc.constantFrom(...policies), (some, policy) => {
        const sdp = `${session().join('\r\n')}\r\n${some.join('\r\n')}\r\n`;
        let remote: RemoteAudio | undefined;
        const code = status(() => {
          remote = answer(sdp, policy).remote;
        });
        expect([undefined, 488]).toContain(code);
        if (remote && policy.encryption === 'required') expect(remote.security).toBeDefined();
        if (remote && policy.encryption === 'off') expect(remote.security).toBeUndefined();
        if (remote?.security?.by === 'sdes') expect(policy.sdes).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('an answer that takes DTLS we did not offer is refused', () => {
    expect(status(() => acceptAnswer(browser().replace('actpass', 'active')))).toBe(488);
  });
});
