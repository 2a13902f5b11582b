import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/baresip.ts';
import { mediaReportOf, newestCallFrom, type RecordedSession, transcript } from '../support/call-record.ts';
import { type Connector, startConnector } from '../support/connector.ts';
import { Linphone } from '../support/linphone.ts';
import { VoiceBox } from '../support/phone/voice.ts';
import { writeWav } from '../support/phone/wav.ts';
import { asksForBalance } from './bare-caller.ts';

let connector: Connector;
let folder: string;
beforeAll(async () => {
  connector = await startConnector();
  folder = await mkdtemp(join(tmpdir(), 'peers-'));
});
afterAll(async () => {
  await connector.stop();
  await rm(folder, { recursive: true, force: true });
});

async function callsFrom(caller: string): Promise<RecordedSession[]> {
  const page = await connector.api<{ calls: RecordedSession[] }>('/api/v1/calls?limit=100');
  return page.calls.filter((call) => call.callerIdentity.includes(caller));
}

describe('sipp', () => {
  it.each([
    ['UDP', 'u1'],
    ['TCP', 't1'],
  ])('makes ten calls over %s, and all stand on record', async (name, transport) => {
    const before = (await callsFrom('sipp')).length;
    const target = `127.0.0.1:${transport === 'u1' ? connector.sipPort : connector.sipTcpPort}`;
    const args = [
      ...[
        '-sn',
        'uac',
        '-m',
        '10',
        '-r',
        '5',
        '-d',
        '1500',
        '-t',
        transport,
        '-i',
        '127.0.0.1',
        '-p',
        '0',
        '-nostdin',
        '-s',
        'bank',
        target,
      ],
    ];
    const { code, output } = await run('sipp', args, folder);
    expect(code, output.slice(-2000)).toBe(0);
    await expect
      .poll(async () => (await callsFrom('sipp')).filter((call) => call.status === 'COMPLETED').length)
      .toBe(before + 10);
    expect(name).toBeTruthy();
  });
});

// Three customers at the same time, whom the demo bank knows by their numbers.
describe.concurrent('baresip', () => {
  it.for([
    ['PCMU', '+15550100', 'g711', 8000, 1],
    ['G722', '+15550142', 'g722', 16_000, 1],
    ['opus', '+15550187', 'opus', 48_000, 2],
  ] as const)('calls, speaks, is understood and answered in %s', async (line, { expect }) => {
    const [codec, from, module, sampleRate, channels] = line;
    const { output, read } = await asksForBalance(connector, {
      to: `sip:bank@127.0.0.1:${connector.sipPort}`,
      from,
      codec: { module, sampleRate, channels },
    });
    expect(output).toMatch(/Call established/);
    const report = async () => mediaReportOf(await read());
    await expect.poll(report).toMatchObject({ codec, packetsLost: 0 });
    const { quality } = (await report())!;
    expect(quality!.reportsReceived).toBeGreaterThan(0);
    expect(quality!.roundTripMs).toBeLessThan(500);
    expect(Math.min(quality!.callerMos!, quality!.botMos!)).toBeGreaterThan(3.5);
    const call = await read();
    expect(transcript(call)).toContain('caller: what is my balance');
    expect(transcript(call).at(-1)).toMatch(/assistant: .*PIN/);
  });
});

describe('linphone', () => {
  it('calls, hears the greeting, speaks, is understood and answered, tells how it heard, and hangs up', async () => {
    const voiceBox = new VoiceBox();
    const question = await voiceBox.speak('what is my balance', 'rms');
    await voiceBox.close();
    await writeFile(join(folder, 'question.wav'), writeWav({ sampleRate: 8000, channels: 1, pcm: question }));
    const rtp = ['rtcp_xr_enabled=1', 'rtcp_xr_voip_metrics_enabled=1'];
    const linphone = await Linphone.open({ user: '+15550101', rtp });
    const call = async () => (await newestCallFrom(connector, '+15550101'))!;
    try {
      linphone.type(`record ${join(folder, 'heard.wav')}`);
      linphone.type(`call sip:bank@127.0.0.1:${connector.sipPort}`);
      await linphone.says(/Media streams established/);
      await expect.poll(async () => transcript(await call())[0]).toMatch(/help you/);
      linphone.type(`play ${join(folder, 'question.wav')}`);
      await expect
        .poll(async () => transcript(await call()), { timeout: 20_000 })
        .toEqual(expect.arrayContaining(['caller: what is my balance', expect.stringMatching(/customer number/)]));
      linphone.type('terminate');
      await expect.poll(async () => (await call()).status).toBe('COMPLETED');
      // RTCP XR: what linphone measured of the bot, and told.
      const report = async () => mediaReportOf(await call());
      await expect.poll(report).toBeDefined();
      expect((await report())!.quality!.botMeasured).toMatchObject({ lossRate: 0 });
      const heard = new Int16Array((await readFile(join(folder, 'heard.wav'))).buffer.slice(44));
      expect(heard.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0)).toBeGreaterThan(3000);
    } finally {
      await linphone.close();
    }
  });
});
