import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ANSWER_AND_BYE = join(import.meta.dirname, 'sipp/answer-and-bye.xml');

/** One second of a run, as sipp counted it: calls begun, ended well, failed, and up at its end. */
export interface SippSecond {
  readonly offered: number;
  readonly successful: number;
  readonly failed: number;
  readonly current: number;
}

export interface SippRun {
  readonly setupMs: readonly number[];
  readonly successful: number;
  readonly failed: number;
  readonly seconds: readonly SippSecond[];
  readonly wallMs: number;
}

export interface SippLoad {
  /** Of the loopback: load goes to nobody else. */
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** Path of another scenario, with `rtd="1"` from INVITE to 200. */
  readonly scenario?: string;
}

/** sipp (Debian's sip-tester) as the caller: `perSecond` calls for `seconds`, each up for a second. */
export async function sippCalls({ port, perSecond, seconds, scenario = ANSWER_AND_BYE }: SippLoad): Promise<SippRun> {
  const folder = await mkdtemp(join(tmpdir(), 'svc-sipp-'));
  try {
    const options = {
      '-sf': scenario,
      '-i': '127.0.0.1',
      '-r': String(perSecond),
      '-m': String(perSecond * seconds),
      '-l': String(perSecond * 10),
      '-rtt_freq': '100',
      '-fd': '1',
      '-timeout': `${seconds + 40}s`,
      '-recv_timeout': '20000',
    };
    const flags = ['-trace_rtt', '-trace_stat', '-nostdin', '-buff_size', '8388608'];
    const begun = performance.now();
    const child = spawn('sipp', [`127.0.0.1:${port}`, ...Object.entries(options).flat(), ...flags], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TERM: 'dumb' },
    });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-500);
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    const wallMs = performance.now() - begun;
    // 0: all calls well, 1: some failed, 97: ended by its own time-out.
    if (code !== 0 && code !== 1 && code !== 97) throw new Error(`sipp ended with ${code}: ${complaint}`);
    // The traces lie beside the scenario, or in the working folder, as sipp's version has it.
    return { ...(await traces(folder, scenario, child.pid!)), wallMs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function traces(folder: string, scenario: string, pid: number): Promise<Omit<SippRun, 'wallMs'>> {
  const beside = dirname(scenario);
  let setupMs: number[] = [];
  let seconds: SippSecond[] = [];
  let successful = 0;
  let failed = 0;
  for (const place of [folder, beside]) {
    for (const name of await readdir(place)) {
      if (!name.includes(`_${pid}_`) || !name.endsWith('.csv')) continue;
      const rows = (await readFile(join(place, name), 'utf8'))
        .trim()
        .split('\n')
        .map((row) => row.split(';'));
      if (name.endsWith('_rtt.csv')) setupMs = rows.slice(1).map((row) => Number(row[1]));
      else {
        const [titles, ...counted] = rows;
        const column = (title: string, row = counted.at(-1)!) => Number(row[titles!.indexOf(title)]);
        successful = column('SuccessfulCall(C)');
        failed = column('FailedCall(C)');
        seconds = counted.map((row) => ({
          offered: column('OutgoingCall(P)', row),
          successful: column('SuccessfulCall(P)', row),
          failed: column('FailedCall(P)', row),
          current: column('CurrentCall', row),
        }));
      }
      if (place === beside) await rm(join(place, name));
    }
  }
  return { setupMs: setupMs.filter(Number.isFinite), successful, failed, seconds };
}
