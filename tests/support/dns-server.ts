import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP } from 'node:net';

/** What a zone may hold, by lower-case name. */
export type DnsRecord =
  | { type: 'A' | 'AAAA'; address: string }
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  | { type: 'NAPTR'; order: number; preference: number; flags: string; service: string; replacement: string };

const TYPES: Readonly<Record<DnsRecord['type'], number>> = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 };

/** A name server on the loopback (RFC 1035, as much as a test needs): answers from its zone, NXDOMAIN else. */
export class DnsServer {
  readonly zone: Record<string, DnsRecord[]>;
  /** Every question, as `SRV _sip._udp.bank.example`. */
  readonly asked: string[] = [];
  /** Names that get no answer at all. */
  readonly mute = new Set<string>();
  readonly #socket: Socket;

  private constructor(socket: Socket, zone: Record<string, DnsRecord[]>) {
    this.#socket = socket;
    this.zone = zone;
    socket.on('message', (query, from) => this.#answer(query, from));
  }

  static async open(zone: Record<string, DnsRecord[]>): Promise<DnsServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new DnsServer(socket, zone);
  }

  /** As `Resolver.setServers` wants it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer, from: RemoteInfo): void {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at]!; length > 0; length = query[at]!) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += length + 1;
    }
    const question = query.subarray(12, at + 5);
    const type = query.readUInt16BE(at + 1);
    const name = labels.join('.').toLowerCase();
    const typeName = Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? String(type);
    this.asked.push(`${typeName} ${name}`);
    if (this.mute.has(name)) return;
    const known = this.zone[name];
    const records = (known ?? []).filter((record) => TYPES[record.type] === type).map(encoded);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(known === undefined ? 0x8583 : 0x8580, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    this.#socket.send(Buffer.concat([header, question, ...records]), from.port, from.address);
  }
}

/** The record with a pointer to the question's name, class IN, a TTL of a minute. */
function encoded(record: DnsRecord): Buffer {
  const data = dataOf(record);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(TYPES[record.type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      return ipv6(record.address);
    case 'SRV':
      return Buffer.concat([words(record.priority, record.weight, record.port), domain(record.target)]);
    case 'NAPTR': {
      const { order, preference, flags, service, replacement } = record;
      return Buffer.concat([words(order, preference), text(flags), text(service), text(''), domain(replacement)]);
    }
  }
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => void bytes.writeUInt16BE(value, i * 2));
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}

function domain(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.map(text), Buffer.from([0])]);
}

function ipv6(address: string): Buffer {
  if (isIP(address) !== 6) throw new Error(`no IPv6 address: ${address}`);
  const [head = '', tail] = address.split('::');
  const groups = (part: string | undefined) => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const [before, after] = [groups(head), groups(tail)];
  return words(...before, ...Array(8 - before.length - after.length).fill(0), ...after);
}
