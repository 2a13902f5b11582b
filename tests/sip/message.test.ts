import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import { Headers } from '../../src/sip/message/headers.ts';
import { SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { parseDatagram, SipParseError } from '../../src/sip/message/parse.ts';
import { decodedUser, formatSipUri, parseSipUri } from '../../src/sip/message/uri.ts';
import { formatNameAddr, formatVia, parseCSeq, parseNameAddr, parseVia } from '../../src/sip/message/values.ts';
import { OFFER } from './support.ts';

const parse = (text: string) => parseDatagram(Buffer.from(text, 'utf8'));
const lines = (...rows: string[]) => `${rows.join('\r\n')}\r\n\r\n`;
const INVITE = [
  'INVITE sip:bank@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
  'From: "Ada" <sip:ada@example.com>;tag=1',
  'To: <sip:bank@example.com>',
  'Call-ID: a@b',
  'CSeq: 1 INVITE',
];

function statusOf(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error.sipStatus;
    throw error;
  }
  return 0;
}

describe('reading a message', () => {
  it.each([
    ['i', 'Call-ID'],
    ['m', 'Contact'],
    ['e', 'Content-Encoding'],
    ['l', 'Content-Length'],
    ['c', 'Content-Type'],
    ['f', 'From'],
    ['s', 'Subject'],
    ['k', 'Supported'],
    ['t', 'To'],
    ['v', 'Via'],
    ['u', 'Allow-Events'],
    ['o', 'Event'],
    ['r', 'Refer-To'],
    ['b', 'Referred-By'],
    ['x', 'Session-Expires'],
    ['y', 'Identity'],
  ])('knows %s for %s (RFC 3261 7.3.3, IANA), in either case', (compact, name) => {
    for (const written of [compact, compact.toUpperCase()]) {
      const headers = new Headers();
      headers.append(written, 'a value');
      expect(headers.get(name.toLowerCase())).toBe('a value');
    }
  });

  it('understands compact names, any case, folding, blanks around the colon and several values on a line', () => {
    // After the "short tortuous INVITE" of RFC 4475 3.1.1.1.
    const message = parse(
      lines(
        'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
        'TO :',
        ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
        '  ;',
        '  tag = 98asjd8',
        'MaX-fOrWaRdS: 0068',
        'Call-ID: wsinv.ndaksdj@192.0.2.1',
        'Content-Length   : 0',
        'cseq: 0009',
        '  INVITE',
        'Via  : SIP  /   2.0',
        ' /UDP',
        '    192.0.2.2;branch=390skdjuw',
        's :',
        'NewFangledHeader:   newfangled value',
        ' continued newfangled value',
        'Route:',
        ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
        'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
        '  branch  =   z9hG4bK9ikj8  ,',
        ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
        ' z9hG4bK30239',
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
        '      newvalue ;',
        '  secondparam ; q = 0.33',
      ),
    ) as SipRequest;
    expect(message.toTag).toBe('1918181833n');
    expect(message.from.displayName).toBe('J Rosenberg \\"');
    expect(message.fromTag).toBe('98asjd8');
    expect(message.cseq).toEqual({ number: 9, method: 'INVITE' });
    expect(message.via).toMatchObject({ transport: 'UDP', host: '192.0.2.2' });
    expect(message.headers.list('via')).toHaveLength(3);
    expect(message.headers.get('newfangledheader')).toBe('newfangled value continued newfangled value');
    expect(message.contact?.displayName).toBe('Quoted string ""');
    expect(message.contact?.params.get('q')).toBe('0.33');
    expect(message.sipUri.params.has('unknownparam')).toBe(true);
  });

  it('keeps commas and semicolons inside quotes and brackets together', () => {
    const contact = 'Contact: "Lovelace, Ada; Countess" <sip:ada@example.com;x=1,2>;q=1, <sip:b@c>';
    const message = parse(lines(...INVITE, contact));
    expect(message.headers.list('contact')).toHaveLength(2);
    expect(message.contact).toMatchObject({ displayName: 'Lovelace, Ada; Countess', uri: 'sip:ada@example.com;x=1,2' });
  });

  it('takes a datagram without Content-Length to its end and cuts what follows a shorter one', () => {
    const head = [...INVITE, 'Content-Type: application/sdp'];
    expect(parse(`${lines(...head)}${OFFER}`).sdp).toBe(OFFER);
    expect(parse(`${lines(...head, `Content-Length: ${OFFER.length}`)}${OFFER}rubbish`).sdp).toBe(OFFER);
  });

  it.each([
    ['a longer Content-Length than came', 400, lines(...INVITE, 'Content-Length: 5')],
    ['a negative Content-Length', 400, lines(...INVITE, 'Content-Length: -999')],
    ['two Content-Lengths', 400, lines(...INVITE, 'Content-Length: 0', 'l: 0')],
    ['two From headers', 400, lines(...INVITE, 'From: <sip:x@y>;tag=2')],
    ['no Call-ID', 400, lines(...INVITE.filter((row) => !row.startsWith('Call-ID')))],
    ['a line without a colon', 400, lines(...INVITE, 'nonsense')],
    ['a lone line feed', 400, lines(...INVITE, 'Subject: a\nVia: b')],
    ['another SIP version', 505, lines(...INVITE).replace('SIP/2.0', 'SIP/7.0')],
    ['a Request-URI in brackets', 400, lines(...INVITE).replace('sip:bank@example.com', '<sip:bank@example.com>')],
    ['a Request-URI with blanks', 400, lines(...INVITE).replace('sip:bank@', 'sip: bank@')],
    ['a very long Request-URI', 414, lines(...INVITE).replace('bank', 'b'.repeat(3000))],
    ['a body beyond the limit', 413, `${lines(...INVITE)}${'x'.repeat(60_000)}`],
    ['headers beyond the limit', 513, lines(...INVITE, `Subject: ${'x'.repeat(20_000)}`)],
    ['no end of the headers', 400, INVITE.join('\r\n')],
    ['no SIP at all', 400, lines('GET / HTTP/1.1', 'Host: a')],
  ])('refuses %s with %i', (_what, status, text) => {
    expect(statusOf(() => parse(text))).toBe(status);
  });

  it('gives what is needed to answer a request it cannot use', () => {
    try {
      parse(lines(...INVITE, 'Content-Length: x'));
      expect.unreachable();
    } catch (error) {
      expect((error as SipParseError).partial?.callId).toBe('a@b');
    }
  });

  it('refuses a URI scheme that is not SIP with 416 and malformed values with 400', () => {
    expect(statusOf(() => parseSipUri('nobodyknows:me@here'))).toBe(416);
    for (const bad of ['sip:', 'sip:@host', 'sip:a@', 'sip:a@host:99999', 'sip:a@[::1', 'sip:a b@host', 'host']) {
      expect(
        statusOf(() => parseSipUri(bad)),
        bad,
      ).toBe(400);
    }
    for (const bad of ['"Ada <sip:a@b>', '<sip:a@b', 'Ada', '', '<>', 'sip:a@b;tag="x']) {
      expect(
        statusOf(() => parseNameAddr(bad)),
        bad,
      ).toBe(400);
    }
    for (const bad of ['SIP/2.0 host', 'SIP/2.0/UDP', 'SIP/2.0/UDP ho st', 'SIP/2.0/UDP h;branch="', 'X/2.0/UDP h']) {
      expect(
        statusOf(() => parseVia(bad)),
        bad,
      ).toBe(400);
    }
    for (const bad of ['1', 'INVITE 1', '99999999999 INVITE', '2147483648 INVITE', '1 IN(VITE']) {
      expect(
        statusOf(() => parseCSeq(bad)),
        bad,
      ).toBe(400);
    }
  });

  it('tells the parameters of a bare address from those of a URI', () => {
    expect(parseNameAddr('sip:a@b;tag=1')).toMatchObject({ uri: 'sip:a@b' });
    expect(parseNameAddr('<sip:a@b;tag=1>').params.get('tag')).toBeUndefined();
    expect(decodedUser(parseSipUri('sip:a%20b%3Bc;x=1:pw@[2001:DB8::1]:5061;lr?Subject=x'))).toBe('a b;c;x=1');
  });
});

describe('writing a message', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/);
  const host = fc.oneof(
    fc.stringMatching(/^[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,3}$/),
    fc.ipV4(),
    fc.ipV6().map((ip) => `[${ip.toLowerCase()}]`),
  );
  const port = fc.option(fc.integer({ min: 0, max: 65535 }), { nil: undefined });
  const quoted = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !/[\r\n\0]/.test(text));
  const headerParams = fc
    .array(
      fc.tuple(
        token,
        fc.option(
          fc.oneof(
            token,
            quoted.map((t) => JSON.stringify(t.replace(/["\\]/g, ''))),
          ),
          { nil: undefined },
        ),
      ),
      { maxLength: 4 },
    )
    .map((all) => all.map(([name, value]) => (value === undefined ? `;${name}` : `;${name}=${value}`)).join(''));
  const uri = fc
    .tuple(
      fc.constantFrom('sip', 'sips'),
      fc.option(fc.stringMatching(/^[a-zA-Z0-9+;=&,.%]{1,12}$/), { nil: undefined }),
      host,
      port,
    )
    .map(
      ([scheme, user, h, p]) =>
        `${scheme}:${user === undefined ? '' : `${user}@`}${h}${p === undefined ? '' : `:${p}`}`,
    );

  it('brings every URI, address and Via back as it was', () => {
    fc.assert(
      fc.property(uri, quoted, headerParams, token, host, port, (u, name, params, transport, h, p) => {
        expect(formatSipUri(parseSipUri(u))).toBe(u);
        const address = parseNameAddr(formatNameAddr({ ...parseNameAddr(`<${u}>${params}`), displayName: name }));
        expect(address.displayName).toBe(name);
        expect(address.uri).toBe(u);
        const via = parseVia(`SIP/2.0/${transport} ${h}${p === undefined ? '' : `:${p}`}${params}`);
        expect(parseVia(formatVia(via))).toEqual(via);
        expect([via.host, via.port]).toEqual([h, p]);
      }),
    );
  });

  it('brings whole messages back as they were, body included', () => {
    const value = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replace(/[\r\n\0]/g, '').trim());
    const extra = fc.array(
      fc.tuple(
        token.map((name) => `X-${name}`),
        value,
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(token, uri, extra, fc.uint8Array({ maxLength: 300 }), (method, u, headers, body) => {
        const request = new SipRequest(method, u);
        for (const row of INVITE.slice(1))
          request.headers.append(row.split(': ')[0]!, row.slice(row.indexOf(': ') + 2));
        for (const [name, text] of headers) request.headers.append(name, text);
        request.body = Buffer.from(body);
        const back = parseDatagram(request.serialize()) as SipRequest;
        expect([back.method, back.uri]).toEqual([method, u]);
        for (const [name] of headers) {
          expect(back.headers.lines(name.toLowerCase())).toEqual(request.headers.lines(name.toLowerCase()));
        }
        expect(back.body.equals(request.body)).toBe(true);
      }),
    );
  });

  it('does not let a value write headers of its own', () => {
    const response = new SipResponse(200);
    expect(() => response.headers.set('Subject', 'x\r\nVia: y')).toThrow(Failure);
    expect(() => response.headers.set('Bad name', 'x')).toThrow(Failure);
  });
});

describe('whatever comes from the network', () => {
  const whole = Buffer.from(
    `${lines(...INVITE, 'Contact: "A" <sip:a@b;x>;q=1', `Content-Length: ${OFFER.length}`)}${OFFER}`,
  );
  const readAll = (bytes: Buffer) => {
    const message = parseDatagram(bytes);
    message.via;
    message.from;
    message.to;
    message.cseq;
    message.contact;
    message.sdp;
    if (message instanceof SipRequest) message.sipUri;
    message.serialize();
  };

  it('is either read or refused with a typed error', () => {
    const change = fc.record({ at: fc.nat(whole.length - 1), bytes: fc.uint8Array({ maxLength: 4 }), cut: fc.nat(6) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.boolean(), (changes, truncate) => {
        let bytes = whole;
        for (const { at, bytes: put, cut } of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
        }
        if (truncate) bytes = bytes.subarray(0, Math.floor(bytes.length / 2));
        try {
          readAll(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(() => parseDatagram(Buffer.from(bytes))).toThrow(SipParseError);
      }),
    );
  });

  it('costs time in proportion to its length, however it is shaped', () => {
    const shapes = [
      '"\\'.repeat(6000),
      '<'.repeat(12_000),
      ';'.repeat(12_000),
      '\r\n '.repeat(4000),
      ','.repeat(12_000),
    ];
    const started = performance.now();
    for (const shape of shapes) {
      try {
        const message = parse(lines(...INVITE, `Contact: ${shape}`, `Route: ${shape}`.slice(0, 12_000)));
        message.headers.list('route');
        message.contact;
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
      }
    }
    // A quadratic scan of these would take minutes.
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
