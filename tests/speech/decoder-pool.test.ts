import { describe, expect, it } from 'vitest';
import type { GrammarDecoder } from '../../src/speech/soundswallower/decoder.ts';
import { DecoderPool } from '../../src/speech/soundswallower/decoder-pool.ts';
import type { CompiledGrammar } from '../../src/speech/soundswallower/grammar-cache.ts';

const grammar = (key: string, size: number) => ({ key, size }) as CompiledGrammar;
const REQUEST = grammar('request', 3500);
const PIN = grammar('pin', 400);
const YES_NO = grammar('yes-no', 260);

/** Decoders that only remember what they were made to load. */
async function poolOf(count: number) {
  const loads: string[] = [];
  let warmed = 0;
  let copied = 0;
  const create = async () => {
    let held: CompiledGrammar | undefined;
    return {
      get key() {
        return held?.key;
      },
      get grammarSize() {
        return held?.size ?? 0;
      },
      worn: false,
      load(wanted: CompiledGrammar) {
        if (held?.key !== wanted.key) loads.push(wanted.key);
        held = wanted;
      },
      takeAfter(other: GrammarDecoder) {
        held = grammar(other.key!, other.grammarSize);
        copied++;
      },
      warmUp() {
        warmed++;
      },
    } as GrammarDecoder;
  };
  const pool = new DecoderPool(create, count, () => undefined);
  await pool.fill(count);
  const hear = (wanted: CompiledGrammar) => {
    pool.lease(wanted, (lease) => {
      lease.decoder.load(wanted);
      lease.release();
    });
  };
  return { pool, loads, hear, warmed: () => warmed, copied: () => copied };
}

describe('the decoders of a thread', () => {
  it('keep the grammar that is dear to load while callers are asked this and that', async () => {
    const { pool, loads, hear } = await poolOf(3);
    for (let call = 0; call < 5; call++) {
      for (const wanted of [REQUEST, PIN, REQUEST, YES_NO]) {
        pool.prepare(wanted);
        hear(wanted);
      }
    }
    expect(loads.filter((key) => key === 'request')).toHaveLength(1);
  });

  it('are made ready for a first call, but for those that have something to do or hold a grammar', async () => {
    const { pool, loads, hear, warmed, copied } = await poolOf(3);
    hear(PIN);
    pool.lease(PIN, () => pool.equip(REQUEST));
    // loaded once: the other one takes it from the first
    expect([loads, copied(), warmed()]).toEqual([['pin', 'request'], 1, 1]);
    pool.equip(YES_NO);
    expect([loads.length, copied()]).toEqual([2, 1]);
  });

  it('give up one of two that hold the same before the only one of its kind', async () => {
    const { pool, loads, hear } = await poolOf(3);
    const held: (() => void)[] = [];
    for (const wanted of [REQUEST, REQUEST]) {
      pool.lease(wanted, (lease) => {
        lease.decoder.load(wanted);
        held.push(() => lease.release());
      });
    }
    hear(grammar('choice', 2000));
    for (const release of held) release();
    hear(YES_NO);
    loads.length = 0;
    hear(REQUEST);
    hear(grammar('choice', 2000));
    expect(loads).toEqual([]);
  });

  it.each(['prepare', 'equip'] as const)('are as many as before, and hear, when one breaks at %s', async (how) => {
    const broken = { key: undefined, grammarSize: 0, worn: false } as unknown as GrammarDecoder;
    broken.load = () => {
      throw new Error('no room for words');
    };
    const whole = { key: undefined, grammarSize: 0, worn: false } as unknown as GrammarDecoder;
    const made = [broken, whole];
    const pool = new DecoderPool(
      async () => made.shift()!,
      1,
      () => undefined,
    );
    await pool.fill(1);
    expect(() => pool[how](REQUEST)).toThrow('no room for words');
    await expect.poll(() => [pool.size, pool.free]).toEqual([1, 1]);
    const leased: GrammarDecoder[] = [];
    pool.lease(REQUEST, ({ decoder }) => leased.push(decoder));
    expect(leased).toEqual([whole]);
  });
});
