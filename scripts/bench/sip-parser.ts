import type { SipRequest } from '../../src/sip/message/message.ts';
import { parseDatagram } from '../../src/sip/message/parse.ts';
import { createResponse } from '../../src/sip/message/response.ts';
import { mutate, seeded } from '../../tests/support/sip-fuzz/mutate.ts';
import { corpus, probe } from '../../tests/support/sip-fuzz/probe.ts';
import type { PartSuite } from './suite.ts';

/** An INVITE as a carrier sends it: 15 headers, SDP with four formats. */
const INVITE = Buffer.from(
  [
    'INVITE sip:+15550100@192.0.2.1:5060;user=phone SIP/2.0',
    'Record-Route: <sip:192.0.2.20;lr;ftag=as6c0f4a1b>',
    'Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK7e1f.4b2ad1c3.0',
    'Via: SIP/2.0/UDP 198.51.100.7:5060;received=198.51.100.7;branch=z9hG4bK776asdhds;rport=5060',
    'Max-Forwards: 69',
    'From: "Ada Lovelace" <sip:+15550142@carrier.example;user=phone>;tag=as6c0f4a1b',
    'To: <sip:+15550100@carrier.example;user=phone>',
    'Contact: <sip:+15550142@198.51.100.7:5060;transport=udp>',
    'Call-ID: 3c2b1a4d5e6f7a8b9c0d1e2f3a4b5c6d@198.51.100.7',
    'CSeq: 102 INVITE',
    'User-Agent: carrier-sbc 7.4',
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, UPDATE, PRACK',
    'Supported: 100rel, timer, replaces, histinfo',
    'Session-Expires: 1800;refresher=uac',
    'P-Asserted-Identity: <sip:+15550142@carrier.example;user=phone>',
    'Content-Type: application/sdp',
    'Content-Length: 261',
    '',
    'v=0',
    'o=root 1821 1821 IN IP4 198.51.100.7',
    's=session',
    'c=IN IP4 198.51.100.7',
    't=0 0',
    'm=audio 17234 RTP/AVP 0 8 9 101',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    'a=maxptime:150',
    'a=sendrecv',
    '',
  ].join('\r\n'),
);

const BATCH = 2_000;

/** What the stack does with an INVITE: reads it and the headers every request is matched by, writes an answer or itself. */
function readAndWrite(write: (request: SipRequest) => { serialize(): Buffer }): void {
  for (let i = 0; i < BATCH; i++) {
    const request = parseDatagram(INVITE) as SipRequest;
    if (request.via.host === '' || request.fromTag === undefined || request.toTag !== undefined)
      throw new Error('misread');
    if (request.cseq.number !== 102 || request.contact === undefined || request.callId === '')
      throw new Error('misread');
    write(request).serialize();
  }
}

function timesOf(batches: number, write: (request: SipRequest) => { serialize(): Buffer }): number[] {
  const times: number[] = [];
  for (let i = 0; i < batches + 10; i++) {
    const from = process.threadCpuUsage();
    readAndWrite(write);
    const { user, system } = process.threadCpuUsage(from);
    // The first ones run before the compiler has had a look.
    if (i >= 10) times.push((user + system) / 1000 / BATCH);
  }
  return times;
}

export const sipParser: PartSuite = {
  name: 'sip-parser',
  what: 'an INVITE read and written, by itself and with its answer',
  environment: undefined,
  limitMs: 60_000,
  async run() {
    const limits = { p50: 1000 / 60_000 };
    const note = `per INVITE of ${INVITE.length} bytes, in batches of ${BATCH}, CPU time of the thread`;
    return [
      {
        suite: 'sip-parser',
        name: 'parse + serialize',
        unit: 'ms',
        values: timesOf(60, (request) => request),
        target: 'p50 <= 0.0167 (60,000/s)',
        limits,
        note,
      },
      {
        suite: 'sip-parser',
        name: 'parse + answer 180',
        unit: 'ms',
        values: timesOf(60, (request) => createResponse(request, 180, 'tag')),
        note,
      },
    ];
  },
};

export const sipFuzz: PartSuite = {
  name: 'sip-fuzz',
  what: 'mutated SIP and SDP for four minutes: no crash, no hang, no growth',
  environment: undefined,
  limitMs: 6 * 60_000,
  async run({ signal, progress, problems }) {
    const seed = Date.now() % 2 ** 31;
    const random = seeded(seed);
    const messages = corpus();
    const slowest: number[] = [];
    const heap: number[] = [];
    let inputs = 0;
    for (const until = performance.now() + 240_000; performance.now() < until && !signal.aborted; ) {
      let worst = 0;
      for (let i = 0; i < 10_000; i++, inputs++) {
        const bytes = mutate(messages[inputs % messages.length] ?? INVITE, messages, random);
        const from = performance.now();
        try {
          probe(bytes, random);
        } catch (error) {
          problems.push(`sip-fuzz: seed ${seed}, input ${inputs}: ${String(error)}`);
          return [];
        }
        worst = Math.max(worst, performance.now() - from);
      }
      slowest.push(worst);
      heap.push(process.memoryUsage().heapUsed / 1024);
      if (inputs % 100_000 === 0) progress(`${inputs} inputs`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return [
      { suite: 'sip-fuzz', name: 'inputs', unit: 'count', values: [inputs], note: `seed ${seed}` },
      { suite: 'sip-fuzz', name: 'slowest input of 10,000', unit: 'ms', values: slowest },
      { suite: 'sip-fuzz', name: 'heap after each 10,000', unit: 'kB', values: heap },
    ];
  },
};
