import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads';

/**
 * Loaded into a thread that a test wants to kill (by a VAD fixture, or `--import` into every thread of a connector): it
 * dies when told so over a BroadcastChannel, in the way a real fault would. Nothing of this is in the product.
 */
export type Death = 'exit' | 'throw' | 'hang' | 'out-of-memory';

export interface Sentence {
  /** Beginning of the thread's name. */
  thread: string;
  death: Death;
}

export function dieWhenTold(channelName: string): void {
  const channel = new BroadcastChannel(channelName);
  channel.onmessage = ({ data }) => {
    const { thread, death } = data as Sentence;
    if (!isMainThread && (threadName ?? '').startsWith(thread)) die(death);
  };
  channel.unref();
}

function die(death: Death): void {
  switch (death) {
    case 'exit':
      process.exit(9);
      break;
    case 'throw':
      setImmediate(() => {
        throw new Error('killed by a test');
      });
      break;
    case 'hang':
      for (;;);
    case 'out-of-memory': {
      let hoard: object | undefined;
      setInterval(() => {
        for (let i = 0; i < 200_000; i++) hoard = { i, before: hoard };
      }, 5);
    }
  }
}
