import { describe, expect, it } from 'vitest';
import { untilAborted } from '../../src/core/abortable.ts';
import { BoundedQueue } from '../../src/core/bounded-queue.ts';
import { Scope } from '../../src/core/scope.ts';

describe('a scope', () => {
  it('aborts its children first, then cleans up in reverse order, once', async () => {
    const done: string[] = [];
    const call = new Scope('call');
    const turn = call.child('turn');
    call.onClose('media', () => void done.push('media'));
    call.onClose('recogniser', () => void done.push('recogniser'));
    turn.onClose('tts', () => void done.push('tts'));
    await Promise.all([call.close('hangup'), call.close('again')]);
    expect(done).toEqual(['tts', 'recogniser', 'media']);
    expect(turn.signal.reason).toBe('hangup');
  });

  it('waits for its tasks, and names the one that overruns', async () => {
    const late: string[] = [];
    const call = new Scope('call', { graceMs: 20, onOverrun: (name) => late.push(name) });
    let finished = false;
    void call.run('quick', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      finished = true;
    });
    void call.run('stuck', () => new Promise(() => {}));
    await call.close();
    expect(finished).toBe(true);
    expect(late).toEqual(['call: stuck']);
  });

  it('gives birth to closed children once it is closed, and still cleans up after them', async () => {
    const call = new Scope('call');
    await call.close('over');
    const turn = call.child('late turn');
    expect(turn.closed).toBe(true);
    let cleaned = false;
    turn.onClose('late', () => {
      cleaned = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(cleaned).toBe(true);
  });

  it('reports a failing task and a failing clean-up instead of throwing', async () => {
    const errors: string[] = [];
    const call = new Scope('call', { onError: (name) => errors.push(name) });
    await call.run('bad', () => Promise.reject(new Error('no')));
    call.onClose('bad clean-up', () => {
      throw new Error('no');
    });
    await call.close();
    expect(errors).toEqual(['call: bad', 'call: bad clean-up']);
  });
});

describe('waiting until aborted', () => {
  it('gives the result, or undefined as soon as the signal aborts', async () => {
    const turn = new AbortController();
    expect(await untilAborted(Promise.resolve(7), turn.signal)).toBe(7);
    const waiting = untilAborted(new Promise(() => {}), turn.signal);
    turn.abort();
    expect(await waiting).toBeUndefined();
    expect(await untilAborted(Promise.resolve(7), turn.signal)).toBeUndefined();
  });
});

describe('a bounded queue', () => {
  it('drops the oldest and counts it, or refuses, as it was told', async () => {
    const dropping = new BoundedQueue<number>(2, 'drop-oldest');
    for (const n of [1, 2, 3]) expect(dropping.push(n)).toBe(true);
    dropping.close();
    expect(await Array.fromAsync(dropping)).toEqual([2, 3]);
    expect(dropping.dropped).toBe(1);
    const refusing = new BoundedQueue<number>(2, 'refuse');
    expect([1, 2, 3].map((n) => refusing.push(n))).toEqual([true, true, false]);
  });

  it('hands over what was queued before it failed', async () => {
    const queue = new BoundedQueue<number>(2, 'refuse');
    queue.push(1);
    queue.fail(new Error('gone'));
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const n of queue) seen.push(n);
      })(),
    ).rejects.toThrow('gone');
    expect(seen).toEqual([1]);
  });
});
