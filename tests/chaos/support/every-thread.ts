import { readFileSync, watch } from 'node:fs';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { dieWhenTold } from './mortal.ts';

/**
 * `--import`ed into a whole connector by a test: every thread of it can be told to die. The test writes a Sentence into
 * the file CHAOS_FILE; the main thread reads it out to the others. Without this the product has no such ear.
 */
const file = process.env.CHAOS_FILE;
if (file !== undefined) {
  dieWhenTold('chaos');
  if (isMainThread) {
    const channel = new BroadcastChannel('chaos');
    channel.unref();
    let last = '';
    watch(file, () => {
      const text = readFileSync(file, 'utf8');
      if (text === '' || text === last) return;
      last = text;
      channel.postMessage(JSON.parse(text));
    }).unref();
  }
}
