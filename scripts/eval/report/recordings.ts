import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScoredCall } from '../score/score-call.ts';

const MOST = 60;

/** Stereo recordings beside the report, of the calls in which something went wrong: they are what one learns from. */
export class RecordingShelf {
  /** Conversation and variant to the file, relative to the report. */
  readonly paths = new Map<string, string>();
  readonly #folder: string;
  readonly #which: 'all' | 'failed' | 'none';
  #writing: Promise<unknown>[] = [];

  constructor(folder: string, which: 'all' | 'failed' | 'none') {
    this.#folder = folder;
    this.#which = which;
  }

  keep(call: ScoredCall, recording: Buffer | undefined): void {
    if (!recording || this.#which === 'none' || this.paths.size >= MOST) return;
    if (this.#which === 'failed' && !call.moments.some(wentWrong) && call.trouble === undefined) return;
    const name = `${call.conversation}-${call.variant.replaceAll(' ', '-')}.wav`;
    this.paths.set(keyOf(call), `audio/${name}`);
    this.#writing.push(this.#write(name, recording));
  }

  async flush(): Promise<void> {
    await Promise.all(this.#writing.splice(0));
  }

  async #write(name: string, recording: Buffer): Promise<void> {
    await mkdir(join(this.#folder, 'audio'), { recursive: true });
    await writeFile(join(this.#folder, 'audio', name), recording);
  }
}

export function keyOf({ conversation, variant }: { conversation: string; variant: string }): string {
  return `${conversation} ${variant}`;
}

/** Something in this moment is not as it should be. */
export function wentWrong(row: ScoredCall['moments'][number]): boolean {
  return (
    row.right === false ||
    row.missed === true ||
    row.cutOff !== undefined ||
    (row.sound?.tried === true && !row.sound.resumed) ||
    (row.interruption?.tried === true && !row.interruption.honoured) ||
    row.listening?.whole === false
  );
}
