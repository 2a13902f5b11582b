import { afterAll, beforeAll, expect, test } from 'vitest';
import { outboundMetrics } from '../../src/call/metrics/outbound-metrics.ts';
import type { GatewayStatus, OutboundDesk, RegistrationStatus } from '../../src/call/outbound.ts';
import { bearer, startServer, type TestServer } from './fixtures.ts';

const carrier: GatewayStatus = {
  name: 'carrier',
  state: 'resting',
  calls: 2,
  callsToday: 30,
  limits: { calls: 10, callsPerSecond: 5, callsPerDay: 500 },
  outcomes: { answered: 20, busy: 8 },
  lastFailure: { reason: 'INVITE refused: 503 Service Unavailable', at: new Date('2026-11-26T01:00:00Z') },
};
const spare: GatewayStatus = { ...carrier, name: 'spare', state: 'up', calls: 0, outcomes: {}, lastFailure: undefined };
const pbx: RegistrationStatus = {
  name: 'pbx',
  registrar: 'sip:pbx.example',
  aor: '<sip:200@pbx.example>',
  registered: false,
  state: 'waiting',
  expiresAt: undefined,
  lastFailure: '403 Forbidden',
};
const everywhere = new Map([['carrier', { calls: 5, callsToday: 80 }]]);
let counts: typeof everywhere | undefined;
const desk: OutboundDesk = {
  gateways: () => [carrier, spare],
  counts: async () => counts,
  registrations: () => [pbx],
};

let it: TestServer;
beforeAll(async () => {
  it = await startServer({ waysOut: desk });
  outboundMetrics(it.metrics, desk);
});
afterAll(() => it.close());

const get = (path: string, headers: Record<string, string> = bearer) => fetch(`${it.url}/api/v1${path}`, { headers });

test('an operator sees how each gateway is, what it carries and why it failed last', async () => {
  expect(await (await get('/gateways')).json()).toEqual({
    counted: 'here',
    gateways: [
      { ...carrier, lastFailure: { ...carrier.lastFailure, at: '2026-11-26T01:00:00.000Z' } },
      { ...spare, lastFailure: null },
    ],
  });
});

test('an operator sees what all connectors carry, where that is known', async () => {
  counts = everywhere;
  expect(await (await get('/gateways')).json()).toMatchObject({
    counted: 'everywhere',
    gateways: [
      { name: 'carrier', ...everywhere.get('carrier') },
      { name: 'spare', calls: 0, callsToday: 0 },
    ],
  });
});

test('an operator sees where calls can come in, and why they cannot', async () => {
  expect(await (await get('/registrations')).json()).toEqual({ registrations: [{ ...pbx, expiresAt: null }] });
});

test('nobody sees either without the token', async () => {
  expect([(await get('/gateways', {})).status, (await get('/registrations', {})).status]).toEqual([401, 401]);
});

test('both are in the metrics', async () => {
  const text = await it.metrics.metrics();
  for (const line of [
    'voice_gateway_up{gateway="carrier"} 0',
    'voice_gateway_up{gateway="spare"} 1',
    'voice_gateway_calls{gateway="carrier"} 2',
    'voice_gateway_calls_day{gateway="carrier"} 30',
    'voice_gateway_calls_total{gateway="carrier",outcome="busy"} 8',
    'voice_registration_up{registration="pbx"} 0',
  ]) {
    expect(text).toContain(line);
  }
});
