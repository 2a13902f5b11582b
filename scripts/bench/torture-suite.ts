import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measure } from './report.ts';
import { startSipServer } from './sip-suite.ts';
import type { PartSuite } from './suite.ts';

const MESSAGES = join(import.meta.dirname, '../../tests/sip/torture/rfc4475');
/** An answer that does not come within this is silence. */
const WAIT_MS = 2_000;
const AT_ONCE = 8;

interface Answer {
  status: number;
  method: string;
}

/** Is that what the RFC asks of an endpoint? Where it leaves a choice, each of its choices is right. */
type Asked = (finals: readonly Answer[]) => boolean;

const silence: Asked = (finals) => finals.length === 0;
const answered: Asked = (finals) => finals.length > 0;
/** Well-formed: whatever a server then says, it must not be that it cannot read it. */
const read: Asked = (finals) => finals.length > 0 && finals[0]!.status !== 400;
const one =
  (...statuses: number[]): Asked =>
  (finals) =>
    finals.length > 0 && statuses.includes(finals[0]!.status);

/** By section 3 of RFC 4475, for any server on UDP; tests/sip/torture.test.ts says exactly what ours does, and on TCP too. */
const ASKED: Readonly<Record<string, Asked>> = {
  wsinv: read,
  intmeth: read,
  esc01: read,
  escnull: read,
  // An unknown method: 501; that a server knows methods it does not serve (405) is let pass.
  esc02: one(501, 405),
  lwsdisp: read,
  longreq: read,
  // The octets behind the first request are noise: nobody may answer the INVITE in them.
  dblreq: (finals) => read(finals) && finals.every(({ method }) => method === 'REGISTER'),
  semiuri: read,
  transports: read,
  mpart01: read,
  unreason: silence,
  noreason: silence,
  badinv01: one(400),
  clerr: one(400),
  ncl: one(400),
  scalar02: one(400),
  scalarlg: silence,
  quotbal: one(400),
  ltgtruri: one(400),
  lwsruri: one(400),
  // "Acceptable to reject", or to be liberal.
  lwsstart: answered,
  trws: answered,
  escruri: answered,
  baddate: answered,
  regbadct: answered,
  badaspec: answered,
  baddn: answered,
  badvers: one(505),
  mismatch01: one(400),
  mismatch02: one(400, 501),
  bigcode: silence,
  badbranch: read,
  insuf: one(400),
  unkscm: one(416),
  novelsc: one(416),
  unksm2: read,
  bext01: one(420),
  invut: one(415),
  regaut01: answered,
  multi01: one(400),
  mcl01: one(400),
  bcast: silence,
  zeromf: (finals) => read(finals) && finals[0]!.status !== 483,
  cparam01: read,
  cparam02: read,
  regescrt: read,
  // Accept leaves no session description to answer with.
  sdp01: one(406, 415, 488),
  inv2543: read,
};

/** RFC 4475's messages on the wire to our stack and, with --peer, to another server. */
export const tortureSuite: PartSuite = {
  name: 'torture',
  what: "RFC 4475's messages by UDP: how many are treated as the RFC asks; with --peer another server beside ours",
  environment: undefined,
  limitMs: 2 * 60_000,
  async run({ peer }) {
    const ours = await startSipServer();
    const measures: Measure[] = [];
    try {
      measures.push(await torture('', ours.port));
    } finally {
      ours.stop();
    }
    if (peer !== undefined) measures.push(await torture('peer: ', peer.port));
    return measures;
  },
};

async function torture(whose: string, port: number): Promise<Measure> {
  const names = Object.keys(ASKED);
  const wrong: string[] = [];
  const queue = await onceEach(names);
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, text] = next;
      const finals = await finalsTo(text, port);
      if (!ASKED[name]!(finals)) wrong.push(`${name} (${finals.map(({ status }) => status).join(' ') || 'silence'})`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const alive = (await finalsTo(ALIVE, port)).length > 0;
  return {
    suite: 'torture',
    name: `${whose}treated as RFC 4475 asks`,
    unit: 'count',
    values: [names.length - wrong.length],
    ...(whose === '' ? { target: `${names.length}` } : {}),
    note: `of ${names.length}${wrong.length === 0 ? '' : `; not so: ${wrong.sort().join(', ')}`}${alive ? '' : '; answers OPTIONS no more'}`,
  };
}

const ALIVE = `OPTIONS sip:alive@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKalive\r\nFrom: <sip:a@b>;tag=1\r
To: <sip:alive@127.0.0.1>\r\nCall-ID: alive\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`;

/**
 * Some of the messages have the branch and the Call-ID of another one, and would be taken for its retransmission or for a
 * merged request: these are told apart. Nothing else is touched but for rport.
 */
async function onceEach(names: readonly string[]): Promise<[name: string, text: string][]> {
  const seen = new Set<string>();
  const messages: [string, string][] = [];
  for (const name of names) {
    let text = (await readFile(join(MESSAGES, `${name}.dat`))).toString('latin1');
    const branch = /branch=([^;,\s]+)/.exec(text)?.[1];
    const callId = /^(?:call-id|i)[ \t]*:[ \t]*(\S+)/im.exec(text)?.[1];
    for (const id of [branch, callId]) {
      if (id !== undefined && seen.has(id)) text = text.replace(id, `${id}-${name}`);
      if (id !== undefined) seen.add(id);
    }
    messages.push([name, text]);
  }
  return messages;
}

/** The final answers to this message (latin1) from a socket of its own. */
async function finalsTo(message: string, port: number): Promise<Answer[]> {
  const socket = createSocket('udp4');
  const finals: Answer[] = [];
  const told = new AbortController();
  socket.on('message', (data) => {
    const text = data.toString('latin1');
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]);
    if (Number.isNaN(status) || status < 200) return;
    finals.push({ status, method: /^CSeq[ \t]*:[ \t]*\d+[ \t]+(\S+)/im.exec(text)?.[1] ?? '' });
    // What may come behind it, a second answer say, comes at once.
    setTimeout(() => told.abort(), 100);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.send(withRport(message), port, '127.0.0.1');
  await sleep(WAIT_MS, undefined, { signal: told.signal }).catch(() => undefined);
  socket.close();
  return finals;
}

/** Answers must come back to us, not to the host in the Via: asked for as RFC 3581 has it. */
function withRport(text: string): Buffer {
  const topVia = /(^|\r\n)(?:via|v)[ \t]*:(?:[^\r,]|\r\n[ \t])*/i;
  return Buffer.from(text.startsWith('SIP/') ? text : text.replace(topVia, (via) => `${via};rport`), 'latin1');
}
