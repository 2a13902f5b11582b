import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packLadder, type TracedMessage } from '../../src/call/record/sip-ladder.ts';
import { pcapOf } from '../../src/http/sip-pcap.ts';
import { bearer, liveSession, session, startServer, type TestServer } from './fixtures.ts';

const START = Date.UTC(2026, 10, 20, 9, 0, 0) * 1000 + 123_456;
const LONG_BODY = `v=0\r\n${'a=candidate:1 1 udp 1 192.0.2.7 9 typ host\r\n'.repeat(900)}`;

function message(
  direction: 'in' | 'out',
  micros: number,
  startLine: string,
  over: Partial<TracedMessage> & { cseq?: string; callId?: string; body?: string } = {},
): TracedMessage {
  const { cseq = '1 INVITE', callId = 'leg-a@example', body = '', ...more } = over;
  const head = [
    startLine,
    `Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK${cseq.replace(' ', '')}`,
    'From: "Zoë" <sip:+15550100@192.0.2.7>;tag=a',
    'To: <sip:bank@10.0.0.1>;tag=b',
    `Call-ID: ${callId}`,
    `CSeq: ${cseq}`,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
  ].join('\r\n');
  return {
    at: START + micros,
    direction,
    protocol: 'udp',
    local: { address: '10.0.0.1', port: 5060 },
    remote: { address: '192.0.2.7', port: 15_060 },
    text: Buffer.from(`${head}\r\n\r\n${body}`, 'utf8').toString('latin1'),
    ...more,
  };
}

const INVITE = message('in', 0, 'INVITE sip:bank@10.0.0.1 SIP/2.0', { body: 'v=0\r\n' });
const CALL: TracedMessage[] = [
  INVITE,
  { ...INVITE, at: START + 500_001 },
  message('out', 500_307, 'SIP/2.0 200 OK', { body: 'v=0\r\n' }),
  message('in', 501_000, 'ACK sip:bank@10.0.0.1 SIP/2.0', { cseq: '1 ACK' }),
  message('out', 2_000_000, 'INVITE sip:agent@198.51.100.9 SIP/2.0', {
    callId: 'leg-b@10.0.0.1',
    protocol: 'tls',
    local: { address: '10.0.0.1', port: 40_000 },
    remote: { address: '198.51.100.9', port: 5061 },
    body: LONG_BODY,
  }),
  message('in', 2_100_000, 'SIP/2.0 486 Busy Here', {
    callId: 'leg-b@10.0.0.1',
    protocol: 'tls',
    local: { address: '10.0.0.1', port: 40_000 },
    remote: { address: '198.51.100.9', port: 5061 },
  }),
  message('out', 3_000_000, 'BYE sip:+15550100@192.0.2.7 SIP/2.0', {
    cseq: '1 BYE',
    local: { address: '2001:db8::1', port: 5060 },
    remote: { address: '2001:db8:0:1::7', port: 5060 },
  }),
];

let server: TestServer;
let stored: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'svc-pcap-'));
  const live = liveSession();
  server = await startServer({
    live: { hangup: async () => true, sipTrace: () => ({ messages: CALL.slice(0, 2), dropped: 0 }) },
  });
  server.archive.session(live);
  server.registry.update(live);
  const call = session();
  stored = call.sessionId;
  server.archive.session(call);
  server.archive.ladders.set(stored, await packLadder(stored, { messages: CALL, dropped: 3 }));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const get = (path: string) => fetch(`${server.url}/api/v1/calls/${path}`, { headers: bearer });

describe('the SIP messages of a call', () => {
  it('are told with their times to the microsecond, legs, directions and addresses', async () => {
    const response = await get(`${stored}/sip`);
    expect(response.status).toBe(200);
    const { messages, dropped } = (await response.json()) as { messages: Record<string, unknown>[]; dropped: number };
    expect(dropped).toBe(3);
    expect(messages.map(({ offsetUs }) => offsetUs)).toEqual(CALL.map(({ at }) => at - START));
    expect(messages[0]).toMatchObject({
      at: '2026-11-20T09:00:00.123456Z',
      direction: 'in',
      protocol: 'udp',
      remote: { address: '192.0.2.7', port: 15_060 },
      leg: 1,
      callId: 'leg-a@example',
      startLine: 'INVITE sip:bank@10.0.0.1 SIP/2.0',
      cseq: '1 INVITE',
      retransmission: false,
    });
    expect(messages[0]?.text).toContain('From: "Zoë" <sip:');
    expect(messages[1]).toMatchObject({ retransmission: true, at: '2026-11-20T09:00:00.623457Z' });
    expect(messages.map(({ leg }) => leg)).toEqual([1, 1, 1, 1, 2, 2, 1]);
  });

  it('are a ladder to read', async () => {
    const response = await get(`${stored}/sip.txt`);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const lines = (await response.text()).split('\n');
    expect(lines[0]).toBe('7 messages from 2026-11-20T09:00:00.123456Z');
    expect(lines[1]).toBe('3 messages had no room and are missing.');
    expect(lines[2]).toMatch(
      /^\s+\+0\.000000 {2}leg 1 udp\s+192\.0\.2\.7:15060 -+ INVITE \(SDP\) -+> 10\.0\.0\.1:5060 {2}1 INVITE$/,
    );
    expect(lines[3]).toMatch(/INVITE \(SDP\) again/);
    expect(lines[4]).toMatch(/\+0\.500307 .* <-+ 200 OK \(SDP\) -+ 10\.0\.0\.1:5060/);
    expect(lines[7]).toMatch(/leg 2 tls\s+198\.51\.100\.9:5061 -+ 486 Busy Here -+> 10/);
    expect(lines[8]).toMatch(/\[2001:db8:0:1::7\]:5060 <-+ BYE/);
  });

  it('can be followed while the call goes on', async () => {
    const [live] = server.registry.active();
    const { messages } = (await (await get(`${live!.sessionId}/sip`)).json()) as { messages: unknown[] };
    expect(messages).toHaveLength(2);
  });

  it('are none where a call kept none, and not to be had without a token', async () => {
    const other = session();
    server.archive.session(other);
    expect(await (await get(`${other.sessionId}/sip`)).json()).toMatchObject({ messages: [], dropped: 0 });
    expect(await (await get(`${other.sessionId}/sip.txt`)).text()).toContain('No SIP messages.');
    expect((await get(`${other.sessionId}/sip.pcap`)).status).toBe(404);
    for (const form of ['sip', 'sip.txt', 'sip.pcap']) {
      expect((await get(`${session().sessionId}/${form}`)).status).toBe(404);
      expect((await fetch(`${server.url}/api/v1/calls/${stored}/${form}`)).status).toBe(401);
    }
  });
});

describe('the capture file of a call', () => {
  async function dissect(file: string, fields: string[], ...more: string[]): Promise<string[][]> {
    const args = [
      '-r',
      file,
      ...more,
      '-T',
      'fields',
      '-E',
      'separator=|',
      ...fields.flatMap((field) => ['-e', field]),
    ];
    const { stdout } = await promisify(execFile)('tshark', args, { maxBuffer: 16 * 1024 * 1024 });
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.split('|'));
  }

  it('is read by tshark: every message is SIP, at its time, from and to where it went', async () => {
    const response = await get(`${stored}/sip.pcap`);
    expect(response.headers.get('content-type')).toBe('application/vnd.tcpdump.pcap');
    expect(response.headers.get('content-disposition')).toContain(`call-${stored}.pcap`);
    const file = join(folder, 'call.pcap');
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    const fields = ['frame.time_epoch', 'sip.Method', 'sip.Status-Code', 'sip.Call-ID', 'udp.srcport', 'udp.dstport'];
    const shown = await dissect(file, fields, '-Y', 'sip');
    const at = (micros: number) => `${((START + micros) / 1e6).toFixed(6)}000`;
    expect(shown).toEqual([
      [at(0), 'INVITE', '', 'leg-a@example', '15060', '5060'],
      [at(500_001), 'INVITE', '', 'leg-a@example', '15060', '5060'],
      [at(500_307), '', '200', 'leg-a@example', '5060', '15060'],
      [at(501_000), 'ACK', '', 'leg-a@example', '15060', '5060'],
      [at(2_000_000), 'INVITE', '', 'leg-b@10.0.0.1', '', ''],
      [at(2_100_000), '', '486', 'leg-b@10.0.0.1', '', ''],
      [at(3_000_000), 'BYE', '', 'leg-a@example', '5060', '5060'],
    ]);
    const places = await dissect(
      file,
      ['ip.src', 'ipv6.src', 'ipv6.dst', 'tcp.dstport'],
      '-Y',
      'sip.Method == "BYE" || tcp',
    );
    expect(places.at(-1)).toEqual(['', '2001:db8::1', '2001:db8:0:1::7', '']);
    expect(places[0]).toEqual(['10.0.0.1', '', '', '5061']);
  });

  it('has frames that are whole: no checksum is wrong, no segment is missing, none is malformed', async () => {
    const file = join(folder, 'whole.pcap');
    await writeFile(file, pcapOf(CALL));
    const checks = ['ip.check_checksum:TRUE', 'udp.check_checksum:TRUE', 'tcp.check_checksum:TRUE'];
    const fields = [
      'ip.checksum.status',
      'udp.checksum.status',
      'tcp.checksum.status',
      'tcp.analysis.flags',
      '_ws.malformed',
    ];
    const shown = await dissect(file, fields, ...checks.flatMap((check) => ['-o', check]));
    // 8: the long INVITE takes two segments.
    expect(shown).toHaveLength(8);
    expect(new Set(shown.map((line) => line.join('|')))).toEqual(new Set(['1|1|||', '1||1||', '|1|||']));
  });
});
