import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endsWithUs } from './children.ts';

export interface LinphoneOptions {
  /** User part of its address. */
  user: string;
  /** Encrypts its audio, and takes no other. */
  srtp?: boolean;
  /** Lines of its [sip] section besides. */
  sip?: readonly string[];
  /** And of its [rtp] section. */
  rtp?: readonly string[];
}

/** Linphone's console telephone, told what to do as a person would tell it. It has no sound card: it plays and records files. */
export class Linphone {
  readonly folder: string;
  output = '';
  readonly #child: ChildProcessWithoutNullStreams;

  private constructor(folder: string, child: ChildProcessWithoutNullStreams) {
    this.folder = folder;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.output += String(chunk);
      });
    }
  }

  static async open({ user, srtp = false, sip = [], rtp = [] }: LinphoneOptions): Promise<Linphone> {
    const folder = await mkdtemp(join(tmpdir(), 'linphone-'));
    await mkdir(join(folder, '.local/share/linphone'), { recursive: true });
    const settings = {
      sip: [
        'sip_port=-1',
        'sip_tcp_port=0',
        'bind_address=127.0.0.1',
        'use_ipv6=0',
        'ipv6_migration_done=1',
        'guess_hostname=0',
        `contact=<sip:${user}@127.0.0.1>`,
        ...(srtp ? ['media_encryption=srtp', 'media_encryption_mandatory=1'] : []),
        ...sip,
      ],
      rtp: ['audio_rtp_port=-1', ...rtp],
      video: ['enabled=0'],
    };
    const config = Object.entries(settings).map(([name, lines]) => `[${name}]\n${lines.join('\n')}\n`);
    await writeFile(join(folder, 'rc'), config.join(''));
    const env = { PATH: process.env.PATH, HOME: folder };
    const child = endsWithUs(spawn('linphonec', ['-c', join(folder, 'rc')], { env }));
    const linphone = new Linphone(folder, child);
    await linphone.says('linphonec>');
    linphone.type('soundcard use files');
    return linphone;
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Resolves when that has come out of it. */
  async says(what: string | RegExp, timeoutMs = 20_000): Promise<void> {
    const until = Date.now() + timeoutMs;
    while (!(typeof what === 'string' ? this.output.includes(what) : what.test(this.output))) {
      if (Date.now() > until) throw new Error(`linphone does not say ${what}:\n${this.output.slice(-3000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.type('quit');
      const limit = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(limit);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
