import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LegEnd } from '../../src/call/legs/call-leg.ts';
import type { DialledLeg, DialProgress } from '../../src/call/legs/dialler.ts';
import { OFFER } from '../sip/support.ts';
import { freePort } from '../support/free-port.ts';
import { gate } from './gate.ts';

const SCENARIOS = new URL('../sipp/', import.meta.url).pathname;

/** Far ends that nobody of us wrote: sipp (Debian's sip-tester) is called. */
describe('a call out to sipp', () => {
  let work: string;
  let port: number;
  let bank: Awaited<ReturnType<typeof gate>>;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'sipp-'));
    port = await freePort();
    const account = (password: string) => `auth: { user: bank, password: "\${${password}}" }`;
    const to = `to: "127.0.0.1:${port}", destinations: [{ prefix: "+49" }]`;
    bank = await gate(
      `trunks: [{ name: nobody, from: 192.0.2.1 }]
gateways:
  - { name: right, ${to}, ${account('RIGHT')} }
  - { name: wrong, ${to}, ${account('WRONG')} }
  - { name: open, ${to}, redirects: [127.0.0.1], sessionExpiresSeconds: 1800 }
`,
      { env: { RIGHT: 'opensesame', WRONG: 'guess' } },
    );
  });
  afterAll(async () => {
    await bank?.close();
    await rm(work, { recursive: true, force: true });
  });

  /** Takes one call. Resolves when the scenario is over, rejects where it was not as written. */
  function called(scenario: string): Promise<void> {
    const args = [
      '-sf',
      join(SCENARIOS, `${scenario}.xml`),
      '-i',
      '127.0.0.1',
      '-p',
      String(port),
      '-m',
      '1',
      '-nostdin',
    ];
    args.push('-timeout', '15s', '-timeout_error', '-trace_err');
    return new Promise((resolve, reject) => {
      execFile('/usr/bin/sipp', args, { cwd: work }, async (error) => {
        if (error === null) return resolve();
        const logs = (await readdir(work)).filter((file) => file.endsWith('_errors.log'));
        const said = await Promise.all(logs.map((file) => readFile(join(work, file), 'utf8')));
        reject(new Error(`sipp ${scenario}: ${error.message}\n${said.join('\n').slice(0, 3000)}`));
      });
    });
  }

  const dial = (
    gateway: string,
    onProgress?: (progress: DialProgress) => void,
    signal = new AbortController().signal,
  ) => bank.frontEnd.dialler.dial({ to: '+4930123456', gateway, offer: () => OFFER, onProgress }, signal);

  const hungUp = async (leg: DialledLeg): Promise<DialledLeg> => {
    await leg.hangup();
    return leg;
  };

  it('shows its password when it is asked, to the BYE unasked', async () => {
    const [leg] = await Promise.all([dial('right').then(hungUp), called('called-challenge')]);
    expect(leg.answer).toContain('m=audio 6000');
  });

  it('fails where the password is wrong', async () => {
    const failed = dial('wrong').catch((error: unknown) => error);
    await called('called-challenge');
    expect(await failed).toMatchObject({ code: 'dial-refused', sipStatus: 403 });
  });

  it('hears early media that came reliably, and is hung up on', async () => {
    const heard: DialProgress[] = [];
    const [leg] = await Promise.all([
      dial('right', (progress) => heard.push(progress)).then(hungUp),
      called('called-early-media'),
    ]);
    expect(heard).toMatchObject([{ status: 183, sdp: expect.stringContaining('m=audio 6000'), gateway: 'right' }]);
    expect(leg.answer).toBe(heard[0]!.sdp);
    expect(leg.signal.reason as LegEnd).toMatchObject({ by: 'us', how: 'bye' });
  });

  it('says that the called is busy', async () => {
    const failed = dial('open').catch((error: unknown) => error);
    await called('called-busy');
    expect(await failed).toMatchObject({ code: 'dial-busy', sipStatus: 486 });
  });

  it('is over when the called hangs up', async () => {
    const [leg] = await Promise.all([dial('open'), called('called-hangs-up')]);
    await expect.poll(() => leg.signal.aborted).toBe(true);
    expect(leg.signal.reason as LegEnd).toMatchObject({
      by: 'caller',
      how: 'bye',
      release: { protocol: 'Q.850', cause: 16 },
    });
  });

  it.each(['called-redirects', 'called-wants-longer', 'called-forks'])('%s', async (scenario) => {
    const [leg] = await Promise.all([
      dial('open').then(async (answered) => {
        // Of two phones that answer, the second is hung up first.
        await new Promise((resolve) => setTimeout(resolve, 300));
        return hungUp(answered);
      }),
      called(scenario),
    ]);
    expect(leg.answer).toContain('m=audio');
  });

  it.each(['called-cancelled', 'called-answers-too-late'])('can be taken back while it rings: %s', async (scenario) => {
    const stop = new AbortController();
    const rings = (progress: DialProgress) => progress.status === 180 && stop.abort();
    const failed = dial('open', rings, stop.signal).catch((error: unknown) => error);
    await called(scenario);
    expect(await failed).toMatchObject({ code: 'dial-cancelled' });
    await expect.poll(() => bank.frontEnd.dialogs).toBe(0);
  });
});
