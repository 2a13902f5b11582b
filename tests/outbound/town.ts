import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RecordedCall } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { type AnsweringOptions, AnsweringPhone } from '../support/phone/answering-phone.ts';
import { readUntil } from '../support/read-until.ts';

/** An order as the API shows it. */
export interface Order {
  orderId: string;
  state: string;
  outcome: string | null;
  answeredBy: string | null;
  to: string;
  nextAttemptAt: string | null;
  attempts: { sessionId: string; outcome: string | null; gateway: string | null; answeredBy: string | null }[];
}

const BOTS = `bots:
  - name: bank
  - name: reminder
    outbound:
      rightParty: Am I speaking with {name}?
      purpose: Your new card is ready at our branch.
      message: This is the bank with a message for {name}. Please call us back.
      onMachine: leave-message
      retry: { maxAttempts: 3, afterMinutes: { busy: 1, no-answer: 2 } }
    prompts:
      greeting: Hello, this is the bank.
  - name: caller
    outbound:
      purpose: This is a call for {name} about the new card.
    prompts:
      greeting: Hello, this is the bank.
numbers: [{ any: true, bot: bank }]
hours: [{ name: never, zone: UTC, week: { mon-sun: closed } }, { name: always, zone: Europe/Berlin, week: { mon-sun: "00:00-24:00" } }]
trunks: [{ name: this-machine, from: this-machine }]
`;

/** Phones that can be called, each by a number of its own, and connectors that call them. */
export class Town {
  readonly #phones: { phone: AnsweringPhone; destination: string; limits?: string | undefined }[] = [];
  readonly #connectors: Connector[] = [];
  readonly #folders: string[] = [];

  /** A phone with this number. */
  async phone(number: string, options: AnsweringOptions = {}): Promise<AnsweringPhone> {
    const phone = await AnsweringPhone.open(options);
    this.#phones.push({ phone, destination: `number: "${number}"` });
    return phone;
  }

  /** A phone that has all numbers which begin like this; `limits` of the gateway that leads there. */
  async exchange(prefix: string, options: AnsweringOptions = {}, limits?: string): Promise<AnsweringPhone> {
    const phone = await AnsweringPhone.open(options);
    this.#phones.push({ phone, destination: `prefix: "${prefix}"`, limits });
    return phone;
  }

  /** A connector that reaches all phones there are now. */
  async connector(env: Record<string, string> = {}, dataDir?: string): Promise<Connector> {
    const folder = await mkdtemp(join(tmpdir(), 'outbound-'));
    this.#folders.push(folder);
    const wide =
      'calls: 500, callsPerSecond: 500, burst: 500, callsPerDay: 100000, callsPerNumberPerDay: 100000, prefixes: []';
    const gateways = this.#phones.map(({ phone, destination, limits = wide }, index) => {
      const { port } = phone.endpoint.wire.local;
      return `  - { name: line-${index}, to: "127.0.0.1:${port}", destinations: [{ ${destination} }], ringSeconds: 5,
      limits: { ${limits} } }`;
    });
    await writeFile(join(folder, 'all.yaml'), `${BOTS}gateways:\n${gateways.join('\n')}\n`);
    const connector = await startConnector({ SIP_CONFIG: folder, ...env }, dataDir);
    this.#connectors.push(connector);
    return connector;
  }

  async close(): Promise<void> {
    for (const connector of this.#connectors) await connector.stop();
    for (const { phone } of this.#phones) await phone.close();
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
  }
}

export async function request(
  connector: Connector,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown; location: string | null }> {
  const response = await fetch(`${connector.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${connector.token}`,
      ...(body !== undefined && { 'content-type': typeof body === 'string' ? 'text/csv' : 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    body: isJson ? JSON.parse(text) : text,
    location: response.headers.get('location'),
  };
}

let keys = 0;

/** Orders a call; every order has a key of its own unless told. */
export async function order(
  connector: Connector,
  body: Record<string, unknown>,
  key = `test-${++keys}`,
): Promise<Order> {
  const ask = () => request(connector, 'POST', '/calls', body, { 'idempotency-key': key });
  let answer = await ask();
  // "Try again shortly", says a connector whose database has no time on a busy machine: clients do.
  for (let tries = 0; answer.status === 503 && tries < 50; tries++) {
    await sleep(200);
    answer = await ask();
  }
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  expect(answer.location).toBe(`/api/v1/orders/${(answer.body as Order).orderId}`);
  return answer.body as Order;
}

/** The order once it is as expected. */
export const orderOnce = (
  connector: Connector,
  orderId: string,
  holds: (order: Order) => boolean,
  timeoutMs = 40_000,
) => readUntil('the order', () => connector.api<Order>(`/api/v1/orders/${orderId}`), holds, timeoutMs);

export const isOver = ({ state }: Order) => ['DONE', 'FAILED', 'CANCELLED', 'EXPIRED'].includes(state);

/** The record of the order's last call. */
export async function callOf(connector: Connector, order: Order): Promise<RecordedCall & Record<string, unknown>> {
  const path = `/api/v1/calls/${order.attempts.at(-1)!.sessionId}`;
  const read = () => connector.api<RecordedCall & Record<string, unknown>>(path);
  return readUntil('the call', read, ({ status }) => status !== 'ACTIVE', 20_000);
}
