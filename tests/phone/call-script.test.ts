import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linesOf, needsTranscript, parseScript } from '../../scripts/call/script.ts';
import { AnsweringPhone } from '../support/phone/answering-phone.ts';
import { VoiceBox } from '../support/phone/voice.ts';

const CALL = fileURLToPath(new URL('../../scripts/call.ts', import.meta.url));
const shipped = (name: string) => fileURLToPath(new URL(`../../scripts/call/${name}`, import.meta.url));

describe('a call script', () => {
  test.each(['demo.yaml', 'default.yaml'])('%s, as shipped, is valid', (name) => {
    const script = parseScript(readFileSync(shipped(name), 'utf8'), name);
    expect(linesOf(script.steps)).toContain('where is my credit card');
  });

  test('names every fault with its line and column', () => {
    const faulty = [
      'voice: bass',
      'steps:',
      '  - wait',
      '  - press: 12x',
      '  - expect: { bot: "(" }',
      '  - jump',
      '  - wait: { silense: 3 }',
      '  - if: { bot: pin, do: [ { say: 5 } ] }',
    ].join('\n');
    expect(() => parseScript(faulty, 'my.yaml')).toThrow(
      expect.objectContaining({
        code: 'bad-script',
        message: expect.stringMatching(
          /my\.yaml:1:8: voice.*my\.yaml:4:12: steps\.1\.press.*my\.yaml:5:20: steps\.2\.expect\.bot.*my\.yaml:6:5: steps\.3.*jump.*my\.yaml:7:11: steps\.4\.wait.*silense.*my\.yaml:8:\d+: steps\.5\.if\.do\.0\.say/s,
        ),
      }),
    );
    expect(() => parseScript('steps: [', 'my.yaml')).toThrow(/my\.yaml:1:\d+/);
  });

  test('knows which lines will be said and whether it needs the words of the bot', () => {
    const { steps } = parseScript(
      'steps: [wait, {if: {bot: pin, do: [{say: one}], else: [{interrupt: two}]}}, {say: {text: three}}]',
      'a',
    );
    expect(linesOf(steps)).toEqual(['one', 'two', 'three']);
    expect(needsTranscript(steps)).toBe(true);
    expect(needsTranscript(parseScript('steps: [wait, {expect: {hangup: true}}]', 'a').steps)).toBe(false);
  });
});

describe('npm run call', () => {
  const voices = new VoiceBox();
  let bot: AnsweringPhone;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phone-call-'));
    bot = await AnsweringPhone.open({
      greeting: { pcm: await voices.speak('hello', 'slt'), afterMs: 0 },
      reply: { pcm: await voices.speak('goodbye', 'slt'), afterMs: 700 },
      hangupAfterReplies: 1,
    });
  });

  afterAll(async () => {
    await bot?.close();
    await voices.close();
    await rm(folder, { recursive: true, force: true });
  });

  function call(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const env = { ...process.env, NO_COLOR: '1', DATA_DIR: folder, ADMIN_TOKEN: '' };
    const child = spawn(process.execPath, [CALL, ...args], { env, cwd: folder });
    const chunks = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      chunks.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      chunks.err += text;
    });
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...chunks })));
  }

  test('shows the call, its latencies and a summary, saves a recording and ends well', async () => {
    const script = join(folder, 'good.yaml');
    await writeFile(script, 'steps: [wait, {say: bye}, {expect: {hangup: true}}]');
    const { code, out, err } = await call('--script', script, '--to', bot.uri, '--no-api', '--save', 'call.wav');
    expect(err).toBe('');
    expect(out).toMatch(/caller +"bye"/);
    expect(out).toMatch(/voice-to-voice \d+ ms/);
    expect(out).toMatch(/✓ +the bot hangs up/);
    expect(out).toMatch(/^voice-to-voice +1 +0 /m);
    expect(out).toMatch(/^ok$/m);
    expect(code).toBe(0);
    expect(existsSync(join(folder, 'call.wav'))).toBe(true);
  });

  test('fails when the conversation does not do what its script expects', async () => {
    const script = join(folder, 'bad.yaml');
    await writeFile(script, 'steps: [wait, {expect: {hangup: true, within: 0.2}}]');
    const { code, out } = await call('--script', script, '--to', bot.uri, '--no-api', '--json');
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      failure: expect.stringContaining('the bot hangs up: not within'),
    });
    expect(code).toBe(1);
  });

  test('fails rather than passes what cannot be checked without the API', async () => {
    const script = join(folder, 'words.yaml');
    await writeFile(script, 'steps: [wait, {expect: {bot: hello}}]');
    const { code, out } = await call('--script', script, '--to', bot.uri, '--no-api');
    expect(out).toContain('cannot be checked');
    expect(code).toBe(1);
  });

  test('says what is wrong with its use, and how it is used', async () => {
    expect(await call('--voice', 'bass')).toMatchObject({ code: 2, err: expect.stringContaining('--voice: one of') });
    expect(await call('--script', 'none.yaml')).toMatchObject({ code: 2 });
    expect(await call('--help')).toMatchObject({ code: 0, out: expect.stringContaining('--demo') });
  });

  // With the API, which it follows: what was opened for a call must not keep a program that cannot make it.
  test.each([
    [2, '--to: nonsense is no SIP URI', ['--to', 'nonsense']],
    [2, '--host: 192.0.2.1 cannot be used (EADDRNOTAVAIL)', ['--host', '192.0.2.1']],
    [3, 'nowhere.invalid has no address (ENOTFOUND)', ['--to', 'sip:bank@nowhere.invalid']],
  ])('ends with %i and one line (%s) where there is nobody to call', async (exit, message, args) => {
    const api = createServer(({ url }, response) => {
      response.writeHead(200);
      if (url?.includes('/events')) response.write(':\n\n');
      else response.end('{"calls":[]}');
    });
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    try {
      const { port } = api.address() as AddressInfo;
      const { code, err } = await call('--api', `http://127.0.0.1:${port}`, '--say', 'hello', ...args);
      expect({ code, err }).toEqual({ code: exit, err: expect.stringMatching(/^[^\n]+\n$/) });
      expect(err).toContain(message);
    } finally {
      api.closeAllConnections();
      api.close();
    }
  });
});
