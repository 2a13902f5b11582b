import { createSocket, type Socket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { SdpNegotiator } from '../../src/media/sdp/sdp.ts';
import type { SipRequest, SipResponse } from '../../src/sip/message/message.ts';
import { parseDatagram } from '../../src/sip/message/parse.ts';
import { decodedUser } from '../../src/sip/message/uri.ts';
import type { IncomingInvite } from '../../src/sip/session/incoming-invite.ts';
import type { UserAgent } from '../../src/sip/user-agent.ts';
import { ANSWER, listen } from './support.ts';

/**
 * Every message of RFC 4475 and RFC 5118, byte for byte as the RFCs give them (tests/sip/torture), over UDP and TCP.
 * `silence`: nothing may come back. 'call': onInvite is called and the 200 comes back.
 */
type Treatment = number | 'silence' | 'call';

interface Case {
  name: string;
  on: Treatment;
  /** What the RFC says, and why this is it. */
  because: string;
  check?: (answer: SipResponse | undefined) => void;
  /** Where a stream differs from a datagram. */
  onTcp?: Treatment;
}

const allows = (answer: SipResponse | undefined) => expect(answer?.headers.list('allow')).toContain('INVITE');

const RFC_4475: Case[] = [
  // 3.1.1 valid messages
  // The To has a tag, so a UAS that does not know the dialog says 481 (RFC 3261 12.2.2); message.test.ts reads it.
  { name: 'wsinv', on: 481, because: 'folding and blanks all over: "all elements should treat this as well-formed"' },
  {
    name: 'intmeth',
    on: 501,
    because: 'every legal character in the method, escaped NUL in a quoted string',
    check: allows,
  },
  { name: 'esc01', on: 'call', because: '%-escapes are "equivalent to the character being encoded"' },
  {
    name: 'escnull',
    on: 405,
    because: 'escaped NULs in URIs: "parsers must accept this message"; no registrar here',
    check: allows,
  },
  { name: 'esc02', on: 501, because: '% in a method is no escape: "an endpoint would reject this message with a 501"' },
  { name: 'lwsdisp', on: 200, because: 'no blank before <: "elements should accept this request as well formed"' },
  { name: 'longreq', on: 'call', because: 'long values, many Vias: well-formed' },
  {
    name: 'dblreq',
    on: 405,
    because: 'octets after the body "are just spurious noise that must be ignored"; no registrar here',
    check: (answer) => expect(answer?.cseq.method).toBe('REGISTER'),
  },
  { name: 'semiuri', on: 200, because: 'user part with ; and escaped @: accepted' },
  { name: 'transports', on: 200, because: 'unknown transports in Vias: processed like any other' },
  {
    name: 'mpart01',
    on: 405,
    because: 'binary multipart with NULs: framed and read; MESSAGE is not served here',
    check: allows,
  },
  { name: 'unreason', on: 'silence', because: 'a well-formed response, of no transaction of ours' },
  {
    name: 'noreason',
    on: 'silence',
    because: 'a well-formed response without reason phrase, of no transaction of ours',
  },
  // 3.1.2 invalid messages
  { name: 'badinv01', on: 400, because: 'extraneous separators: "should respond with a 400"' },
  {
    name: 'clerr',
    on: 400,
    because: 'Content-Length beyond the datagram: 400; a stream waits for the rest',
    onTcp: 'silence',
  },
  { name: 'ncl', on: 400, because: 'negative Content-Length: "should respond with an error"' },
  { name: 'scalar02', on: 400, because: '"should respond with a 400 due to the CSeq error"' },
  { name: 'scalarlg', on: 'silence', because: 'a response out of range: "will simply discard it"' },
  { name: 'quotbal', on: 400, because: 'unterminated quote: 400' },
  { name: 'ltgtruri', on: 400, because: 'Request-URI in <>: "reasonable always to reject with a 400"' },
  { name: 'lwsruri', on: 400, because: 'blanks in the Request-URI: 400' },
  {
    name: 'lwsstart',
    on: 400,
    because: 'several blanks in the start line: "acceptable to reject this request as malformed"',
  },
  { name: 'trws', on: 400, because: 'blanks behind the version: "acceptable to reject this request as malformed"' },
  { name: 'escruri', on: 400, because: 'header fields in the Request-URI: "acceptable to reject with a 400"' },
  {
    name: 'baddate',
    on: 'call',
    because: 'EST in Date: reject only if "the Date were actually important"; it is not here',
  },
  { name: 'regbadct', on: 400, because: 'an escaped header in a bare address: "reasonable to respond with a 400"' },
  { name: 'badaspec', on: 200, because: 'blanks inside <>: "elements attempting to be liberal may ignore the spaces"' },
  { name: 'baddn', on: 400, because: 'unquoted comma in a display name: "reasonable always to reject with a 400"' },
  { name: 'badvers', on: 505, because: 'SIP/7.0: 505' },
  { name: 'mismatch01', on: 400, because: 'CSeq of another method: "any element will respond with a 400"' },
  {
    name: 'mismatch02',
    on: 501,
    because: 'and an unknown method: 400 is acceptable, "choosing a 501 has better properties"',
  },
  { name: 'bigcode', on: 'silence', because: 'status beyond 699: "should simply drop it"' },
  // 3.2 transaction layer
  { name: 'badbranch', on: 200, because: 'the bare cookie: "fall back to the RFC 2543-style transaction identifier"' },
  // 3.3 application layer
  { name: 'insuf', on: 400, because: 'no Call-ID, From, To: "ideally, it will respond with a 400"' },
  { name: 'unkscm', on: 416, because: 'unknown scheme: "will reject it with a 416"' },
  { name: 'novelsc', on: 416, because: 'known but atypical scheme: "return a 416"' },
  {
    name: 'unksm2',
    on: 405,
    because: 'unknown schemes in To, From, Contact: parsed; no registrar here',
    check: allows,
  },
  {
    name: 'bext01',
    on: 420,
    because: 'Unsupported "listing these features from either Require or Proxy-Require, depending on the role"',
    check: (answer) =>
      expect(answer?.headers.list('unsupported')).toEqual(['nothingSupportsThis', 'nothingSupportsThisEither']),
  },
  {
    name: 'invut',
    on: 415,
    because: 'a body of unknown type: 415',
    check: (answer) => expect(answer?.headers.get('accept')).toContain('application/sdp'),
  },
  {
    name: 'regaut01',
    on: 405,
    because: 'unknown authentication scheme: "endpoints choosing not to act as registrars: 405"',
  },
  { name: 'multi01', on: 400, because: 'single headers twice: 400' },
  { name: 'mcl01', on: 400, because: 'two Content-Lengths: 400; "over TCP the connection should be closed"' },
  { name: 'bcast', on: 'silence', because: 'broadcast Via in a response: "should simply discard it"' },
  {
    name: 'zeromf',
    on: 200,
    because: '"an endpoint should process the request as if Max-Forwards were still positive"',
  },
  { name: 'cparam01', on: 405, because: 'a Contact header parameter: well-formed; no registrar here' },
  { name: 'cparam02', on: 405, because: 'a Contact URI parameter: well-formed; no registrar here' },
  { name: 'regescrt', on: 405, because: 'an escaped header in a Contact in <>: well-formed; no registrar here' },
  {
    name: 'sdp01',
    on: 406,
    because: 'Accept without SDP: "could respond with a 406, with a Warning/399"',
    check: (answer) => expect(answer?.headers.get('warning')).toMatch(/^399 /),
  },
  // 3.4 backward compatibility
  { name: 'inv2543', on: 'call', because: 'RFC 2543 syntax: "should be accepted"' },
];

const RFC_5118: Case[] = [
  { name: 'ipv6-good', on: 405, because: '4.1: well-formed; no registrar here', check: allows },
  { name: 'ipv6-bad', on: 400, because: '4.2: IPv6 without brackets in the Request-URI: "a 400"' },
  { name: 'port-ambiguous', on: 405, because: '4.3: [2001:db8::10:5070] is an address, no port; no registrar here' },
  { name: 'port-unambiguous', on: 405, because: '4.4: [2001:db8::10]:5070 has a port; no registrar here' },
  {
    name: 'via-received-param-with-delim',
    on: 481,
    because: '4.5: received=[v6] is read; the BYE is of no call of ours',
  },
  { name: 'via-received-param-no-delim', on: 200, because: '4.5: received=v6 without brackets, as the grammar has it' },
  { name: 'ipv6-in-sdp', on: 'call', because: '4.6: IPv6 in the SDP' },
  { name: 'mult-ip-in-header', on: 481, because: '4.7: IPv4 and IPv6 in Vias; the BYE is of no call of ours' },
  { name: 'mult-ip-in-sdp', on: 'call', because: '4.8: IPv4 and IPv6 in the SDP' },
  { name: 'ipv4-mapped-ipv6', on: 'call', because: '4.9: ::ffff:192.0.2.2 all over' },
  {
    name: 'ipv6-bug-abnf-3-colons',
    on: 200,
    because: '4.10: "an implementation must tolerate both of the above constructs"',
  },
  { name: 'ipv6-correct-abnf-2-colons', on: 200, because: '4.10: the correct construct' },
];

const bytesOf = (rfc: string, name: string) => readFileSync(new URL(`./torture/${rfc}/${name}.dat`, import.meta.url));

/** The answer must come to us on loopback, not to the host in the Via: asked for as RFC 3581 has it. */
function withRport(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const topVia = /(^|\r\n)(?:via|v)[ \t]*:(?:[^\r,]|\r\n[ \t])*/i;
  return Buffer.from(text.startsWith('SIP/') ? text : text.replace(topVia, (via) => `${via};rport`), 'latin1');
}

const ALIVE = (transport: string, port: number) =>
  `OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/${transport} 127.0.0.1:${port};branch=z9hG4bKalive;rport\r\nFrom: <sip:a@b>;tag=1\r\n` +
  'To: <sip:x>\r\nCall-ID: alive\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function target(
  host = '127.0.0.1',
): Promise<{ ua: UserAgent; udp: number; tcp: number; calls: IncomingInvite[] }> {
  const calls: IncomingInvite[] = [];
  const { ua, udp, tcp } = await listen({
    listen: (['udp', 'tcp'] as const).map((protocol) => ({ protocol, host, port: 0 })),
    onInvite: (invite) => {
      calls.push(invite);
      invite.answer(ANSWER).catch(() => undefined);
    },
  });
  open.push(ua);
  return { ua, udp, tcp, calls };
}

const statusIn = (text: string) => Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]);
/** First answer that is neither 100 nor to our sign-of-life request. */
const firstOf = (texts: string[]) => texts.find((text) => !text.includes('z9hG4bKalive') && statusIn(text) >= 200);

async function overUdp(bytes: Buffer, host = '127.0.0.1') {
  const { udp, calls } = await target(host);
  const socket: Socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  open.push(socket);
  const heard: string[] = [];
  socket.on('message', (reply) => heard.push(reply.toString('latin1')));
  await new Promise<void>((resolve) => socket.bind(0, host, () => resolve()));
  socket.send(withRport(bytes), udp, host);
  socket.send(ALIVE('UDP', socket.address().port), udp, host);
  await expect.poll(() => heard.some((text) => text.includes('z9hG4bKalive'))).toBe(true);
  return { answer: firstOf(heard), calls: calls.length };
}

async function overTcp(bytes: Buffer) {
  const { tcp, calls } = await target();
  const socket = connect({ host: '127.0.0.1', port: tcp });
  open.push({ close: () => socket.destroy() });
  let heard = '';
  let closed = false;
  socket.on('data', (piece) => (heard += piece.toString('latin1')));
  socket.on('close', () => (closed = true));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  socket.write(bytes);
  socket.write(ALIVE('TCP', socket.localPort ?? 0));
  const second = await new Promise<boolean>((resolve) => {
    const look = setInterval(() => {
      if (!heard.includes('z9hG4bKalive') && !closed && Date.now() < until) return;
      clearInterval(look);
      resolve(heard.includes('z9hG4bKalive'));
    }, 5);
    const until = Date.now() + 700;
  });
  const texts = heard.split(/(?=SIP\/2\.0 \d{3} )/);
  return { answer: firstOf(texts), calls: calls.length, closed, alive: second };
}

function judge(on: Treatment, answer: string | undefined, calls: number, check: Case['check']): void {
  if (on === 'silence') expect(answer).toBeUndefined();
  else expect(statusIn(answer ?? '')).toBe(on === 'call' ? 200 : on);
  expect(calls).toBe(on === 'call' ? 1 : 0);
  if (check !== undefined)
    check(answer === undefined ? undefined : (parseDatagram(Buffer.from(answer, 'latin1')) as SipResponse));
}

/** No Content-Length, or one that says nothing: nobody can tell where the next message begins (RFC 3261 18.3). */
const UNFRAMED = new Set(['ncl', 'mcl01', 'inv2543']);
/** Content-Length shorter than the rest of the file, the RFC's own counts included: on a stream the rest is garbage. */
const TRAILING = new Set(['dblreq', 'ipv6-in-sdp', 'mult-ip-in-sdp', 'ipv4-mapped-ipv6']);

describe.each([
  ['rfc4475', RFC_4475],
  ['rfc5118', RFC_5118],
] as const)('the torture messages of %s', (rfc, cases) => {
  it('are all here', () => {
    const files = readdirSync(new URL(`./torture/${rfc}/`, import.meta.url)).filter((file) => file.endsWith('.dat'));
    expect(cases.map(({ name }) => `${name}.dat`).sort()).toEqual(files.sort());
  });

  it.each(cases)('$name over UDP: $on, because $because', async ({ name, on, check }) => {
    const { answer, calls } = await overUdp(bytesOf(rfc, name));
    judge(on, answer, calls, check);
  });

  it.each(cases)('$name over TCP', async ({ name, on, onTcp, check }) => {
    const { answer, calls, closed, alive } = await overTcp(bytesOf(rfc, name));
    if (UNFRAMED.has(name)) {
      expect([closed, calls]).toEqual([true, 0]);
      if (answer !== undefined) expect(statusIn(answer)).toBe(400);
      return;
    }
    judge(onTcp ?? on, answer, name === 'dblreq' ? 0 : calls, check);
    if (name !== 'clerr' && !TRAILING.has(name)) expect(alive).toBe(true);
  });
});

const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

describe.skipIf(!hasIPv6)('the torture messages of rfc5118 over IPv6', () => {
  it.each(RFC_5118)('$name: $on', async ({ name, on, check }) => {
    const { answer, calls } = await overUdp(bytesOf('rfc5118', name), '::1');
    judge(on, answer, calls, check);
    // Where it came from is written down, as the grammar has it: without brackets (4.5).
    expect(answer).toContain('received=::1;');
  });
});

describe('what is read from the torture messages', () => {
  const request = (rfc: string, name: string) => parseDatagram(bytesOf(rfc, name)) as SipRequest;

  it('the user part is what RFC 4475 says it is', () => {
    expect(decodedUser(request('rfc4475', 'semiuri').sipUri)).toBe('user;par=u@example.net');
    expect(decodedUser(request('rfc4475', 'esc01').sipUri)).toBe('sips:user@example.com');
    const escaped = request('rfc4475', 'esc01');
    expect(escaped.contact?.uri).toContain('%6C%72');
    expect(parseDatagram(bytesOf('rfc4475', 'esc02')).headers.lines('contact')).toHaveLength(2);
  });

  it("a Contact parameter is the header's without brackets and the URI's within them", () => {
    expect(request('rfc4475', 'cparam01').contact?.params.has('unknownparam')).toBe(true);
    expect(request('rfc4475', 'cparam02').contact?.params.has('unknownparam')).toBe(false);
  });

  it('the parts of a multipart are framed by their boundaries, NULs and all', () => {
    const parts = request('rfc4475', 'mpart01').parts;
    expect(parts?.map((part) => part.type)).toEqual(['text/plain', 'application/octet-stream']);
    expect(parts?.[1]?.body.includes(0)).toBe(true);
  });

  it('reason phrases may be anything or nothing', () => {
    expect((parseDatagram(bytesOf('rfc4475', 'unreason')) as SipResponse).reason).toContain('2**3 * 5**2');
    expect((parseDatagram(bytesOf('rfc4475', 'noreason')) as SipResponse).reason).toBe('');
  });

  it('ports and addresses of IPv6 references are told apart', () => {
    expect(request('rfc5118', 'port-ambiguous').sipUri).toMatchObject({ host: '[2001:db8::10:5070]', port: undefined });
    expect(request('rfc5118', 'port-unambiguous').sipUri).toMatchObject({ host: '[2001:db8::10]', port: 5070 });
    expect(request('rfc5118', 'ipv6-bug-abnf-3-colons').sipUri.host).toBe('[2001:db8::192.0.2.1]');
  });

  it('an SDP with both families gets the audio stream answered and the video refused', () => {
    const sdp = request('rfc5118', 'mult-ip-in-sdp').sdp ?? '';
    const { answer, remote } = new SdpNegotiator({ address: '192.0.2.9', port: 4000, sessionId: '1' }).answer(sdp);
    expect(remote).toMatchObject({ address: '192.0.2.1', port: 22334 });
    expect(answer).toContain('m=video 0 ');
  });
});
