import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bearer,
  event,
  recordingRow,
  session,
  startServer,
  stereoWav,
  TestAdmission,
  type TestServer,
  transaction,
  utterance,
} from './fixtures.ts';

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document
type Json = any;

let it: TestServer;
let document: Json;
let sessionId: string;

beforeAll(async () => {
  it = await startServer({
    admission: new TestAdmission(),
    live: { hangup: async () => true, say: () => 'taken' },
    checks: [{ name: 'db', required: true, check: async () => ({ ok: true }) }],
  });
  document = await (await fetch(`${it.url}/api/v1/openapi.json`)).json();
  const call = session({ answerTime: undefined });
  sessionId = call.sessionId;
  it.archive.session(call);
  it.archive.utterance(utterance(sessionId, 1, { confidence: 0.9 }));
  it.archive.utterance(
    utterance(sessionId, 2, { speaker: 'assistant', timings: { firstPacketMs: 300, endpointReason: 'complete' } }),
  );
  it.archive.event(event(sessionId, 'answered', { data: { codec: 'PCMU' } }));
  it.archive.transaction(transaction(sessionId));
  it.archive.transaction(
    transaction(sessionId, {
      customerId: undefined,
      responseData: undefined,
      completedAt: undefined,
      outcome: 'PENDING',
    }),
  );
  const wav = stereoWav(1);
  await mkdir(join(it.dataDir, 'recordings'));
  await writeFile(join(it.dataDir, 'recordings', 'a.wav'), wav);
  it.archive.addRecording(recordingRow(sessionId, 'recordings/a.wav', wav.length));
});
afterAll(() => it.close());

test('the document is OpenAPI 3.1, each operation named once, each tag, reference and path parameter defined', () => {
  expect(document.openapi).toBe('3.1.0');
  const operations: string[] = [];
  const tags = document.tags.map(({ name }: Json) => name);
  for (const [path, item] of Object.entries<Json>(document.paths)) {
    for (const operation of Object.values<Json>(item)) {
      operations.push(operation.operationId);
      expect(tags, path).toEqual(expect.arrayContaining(operation.tags));
      expect(Object.keys(operation.responses).length, path).toBeGreaterThan(0);
      for (const response of Object.values<Json>(operation.responses)) expect(response.description, path).toBeTruthy();
      const declared = (operation.parameters ?? [])
        .filter((one: Json) => one.in === 'path')
        .map((one: Json) => one.name);
      expect(declared.sort(), path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort());
    }
  }
  expect(new Set(operations).size).toBe(operations.length);
  expect(operations).toEqual(
    expect.arrayContaining([
      'listCalls',
      'getCall',
      'getRecording',
      'hangUpCall',
      'sayInCall',
      'streamEvents',
      'signIn',
      'ready',
    ]),
  );
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);
  expect(references.length).toBeGreaterThan(5);
  for (const reference of references) {
    const target = reference
      .replace('#/', '')
      .split('/')
      .reduce<Json>((node, key) => node?.[key], document);
    expect(target, reference).toBeDefined();
  }
});

test.each([
  ['/api/v1/calls', 'GET', '/api/v1/calls'],
  ['/api/v1/calls/{sessionId}', 'GET', '/api/v1/calls/ID'],
  ['/api/v1/calls/{sessionId}/recording/peaks', 'GET', '/api/v1/calls/ID/recording/peaks?buckets=20'],
  ['/api/v1/calls/{sessionId}/hangup', 'POST', '/api/v1/calls/ID/hangup'],
  ['/api/v1/calls/{sessionId}/say', 'POST', '/api/v1/calls/ID/say', { text: 'Hello.' }],
  ['/api/v1/calls/{sessionId}/say', 'POST', '/api/v1/calls/ID/say', { text: '' }],
  ['/api/v1/login', 'GET', '/api/v1/login'],
  ['/api/v1/admission', 'GET', '/api/v1/admission'],
  ['/api/v1/admission', 'POST', '/api/v1/admission', { stop: true }],
  ['/api/v1/admission', 'POST', '/api/v1/admission', {}],
  ['/api/v1/trunks', 'GET', '/api/v1/trunks'],
  ['/api/v1/trunks/reload', 'POST', '/api/v1/trunks/reload'],
  ['/api/v1/blocked-sources', 'GET', '/api/v1/blocked-sources'],
  ['/api/v1/blocked-sources', 'DELETE', '/api/v1/blocked-sources?source=nobody'],
  ['/health', 'GET', '/health'],
  ['/ready', 'GET', '/ready'],
  ['/api/v1/calls', 'GET', '/api/v1/calls?limit=0'],
  ['/api/v1/calls/{sessionId}', 'GET', '/api/v1/calls/00000000-0000-4000-8000-000000000000'],
])('what %s %s answers is what the document says (%s)', async (path, method, address, body?: unknown) => {
  const sent =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { ...bearer, 'content-type': 'application/json' } };
  const response = await fetch(it.url + address.replace('ID', sessionId), { method, headers: bearer, ...sent });
  const described = document.paths[path][method.toLowerCase()].responses[response.status];
  const type = response.headers.get('content-type')!.split(';', 1)[0]!;
  const schema = described.content[type].schema;
  const ajv = new Ajv2020({ strict: false, formats: FORMATS });
  ajv.addSchema({ $id: 'doc', components: document.components });
  const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components')));
  const answer = await response.json();
  expect(validate(answer), JSON.stringify(validate.errors)).toBe(true);
});

const FORMATS = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': (text: string) => text === new Date(text).toISOString(),
};

test('what is refused before a route is asked is described with every route: too often, too long, too large, no JSON', async () => {
  for (const [path, item] of Object.entries<Json>(document.paths)) {
    for (const [method, { responses }] of Object.entries<Json>(item)) {
      const withBody = ['post', 'put', 'patch'].includes(method);
      const expected = ['429', ...(path.includes('{') ? ['414'] : []), ...(withBody ? ['400', '413', '415'] : [])];
      expect(Object.keys(responses), `${method} ${path}`).toEqual(expect.arrayContaining(expected));
    }
  }
  const say = (init: RequestInit, id = sessionId) =>
    fetch(`${it.url}/api/v1/calls/${id}/say`, { method: 'POST', ...init, headers: { ...bearer, ...init.headers } });
  const json = { 'content-type': 'application/json' };
  const answers = await Promise.all([
    say({ body: '{}', headers: json }, 'x'.repeat(300)),
    say({ body: `{"text":"${'x'.repeat(70_000)}"}`, headers: json }),
    say({ body: '<a/>', headers: { 'content-type': 'text/xml' } }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([414, 413, 415]);
});

test('numbers that nobody can count to are refused, wherever one can be sent', async () => {
  const asked: [string, RequestInit][] = [];
  for (const [path, item] of Object.entries<Json>(document.paths)) {
    const url = `${it.url}${path.replace('{sessionId}', sessionId)}`;
    for (const [method, { parameters = [], requestBody }] of Object.entries<Json>(item)) {
      const numbers = (properties: Json) =>
        Object.entries<Json>(properties ?? {}).filter(([, { type }]) => ['integer', 'number'].includes(type));
      for (const { name, schema } of parameters.filter((one: Json) => one.in === 'query')) {
        if (numbers({ [name]: schema }).length > 0) asked.push([`${url}?${name}=1e400`, { method }]);
      }
      const { properties } = requestBody?.content['application/json']?.schema ?? {};
      for (const [name] of numbers(properties)) {
        const body = `{"text":"x","${name}":1e400}`;
        asked.push([url, { method, body, headers: { 'content-type': 'application/json' } }]);
      }
    }
  }
  expect(asked.length).toBeGreaterThan(2);
  for (const [url, init] of asked) {
    const { status } = await fetch(url, { ...init, headers: { ...bearer, ...init.headers } });
    expect([url, status]).toEqual([url, 400]);
  }
});
