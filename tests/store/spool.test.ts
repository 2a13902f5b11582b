import { appendFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromLine, type PackedEntry, pack, toLine } from '../../src/store/postgres/entries.ts';
import { Spool } from '../../src/store/spool.ts';
import { temporaryFolder } from './support/database.ts';
import { anEvent, anUtterance, aSession } from './support/rows.ts';

let dir: string;
beforeEach(() => {
  dir = temporaryFolder();
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const files = () => readdirSync(dir).sort();

async function readAll(spool: Spool, limit = 1000): Promise<string[]> {
  const lines: string[] = [];
  for (let chunk = await spool.next(limit); chunk; chunk = await spool.next(limit)) {
    lines.push(...chunk.lines);
    await chunk.done();
  }
  return lines;
}

describe('the spool', () => {
  it('gives back what it was given, in order, whatever is closed, reopened and read in between', async () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('append' as const),
          lines: fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 5 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const folder = join(dir, crypto.randomUUID());
        let spool = await Spool.open({ dir: folder, segmentBytes: 100 });
        const put: string[] = [];
        const got = new Set<string>();
        const order: string[] = [];
        for (const [n, one] of steps.entries()) {
          if (one.do === 'append') {
            const lines = one.lines.map((text, i) => JSON.stringify([n, i, text]));
            put.push(...lines);
            await spool.append(lines);
          } else if (one.do === 'read') {
            const chunk = await spool.next(one.limit);
            expect(chunk?.lines.length ?? 0).toBeLessThanOrEqual(one.limit);
            for (const line of chunk?.lines ?? []) if (!got.has(line)) order.push(line);
            for (const line of chunk?.lines ?? []) got.add(line);
            await chunk?.done();
          } else {
            await spool.close();
            spool = await Spool.open({ dir: folder, segmentBytes: 100 });
          }
        }
        for (const line of await readAll(spool, 3)) if (!got.has(line)) order.push(line);
        expect(order).toEqual(put);
        expect(spool.isEmpty).toBe(true);
        expect(readdirSync(folder)).toEqual([]);
        await spool.close();
      }),
      { numRuns: 30 },
    );
  });

  it('keeps its files to ourselves', async () => {
    const spool = await Spool.open({ dir });
    await spool.append(['a']);
    expect(files().map((name) => statSync(join(dir, name)).mode & 0o777)).toEqual([0o600]);
    await spool.close();
  });

  it('hands a chunk out again until it is done', async () => {
    const spool = await Spool.open({ dir });
    await spool.append(['a', 'b', 'c']);
    expect((await spool.next(2))?.lines).toEqual(['a', 'b']);
    const again = await spool.next(2);
    expect(again?.lines).toEqual(['a', 'b']);
    await again?.done();
    expect(await readAll(spool)).toEqual(['c']);
    await spool.close();
  });

  it('goes on in a new file while the oldest is being read', async () => {
    const spool = await Spool.open({ dir });
    await spool.append(['a']);
    const chunk = await spool.next(10);
    await spool.append(['b']);
    expect(files()).toHaveLength(2);
    await chunk?.done();
    expect(await readAll(spool)).toEqual(['b']);
    await spool.close();
  });

  it('refuses beyond its size instead of filling the disk', async () => {
    const spool = await Spool.open({ dir, maxBytes: 10 });
    await spool.append(['1234567']);
    await expect(spool.append(['1234567'])).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await readAll(spool)).toEqual(['1234567']);
    await spool.append(['1234567']);
    await spool.close();
  });
});

describe('a line of the spool', () => {
  const run = crypto.randomUUID();
  const session = aSession();

  it('is the entry it was made of, whatever was said', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
        (text, data) => {
          for (const entry of [
            pack({ kind: 'utterance', row: anUtterance(session, { text }) }, run),
            pack({ kind: 'event', row: anEvent(session, { data }) }, run),
          ]) {
            const line = toLine(entry);
            expect(line).not.toContain('\n');
            const back = fromLine(line) as PackedEntry;
            expect({ ...back, json: JSON.parse(back.json) }).toEqual({ ...entry, json: JSON.parse(entry.json) });
          }
        },
      ),
    );
  });

  it('is recognised as damaged wherever it is torn or altered', () => {
    const line = toLine(pack({ kind: 'session', row: session }, run));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: line.length - 1 }), fc.boolean(), (at, tear) => {
        const other = line[at] === 'x' ? 'y' : 'x';
        expect(fromLine(tear ? line.slice(0, at) : line.slice(0, at) + other + line.slice(at + 1))).toBeUndefined();
      }),
    );
  });

  it('holds nothing that PostgreSQL cannot store', () => {
    const data = { '\0key': 'nul \0', half: '\ud83d', whole: '\u{1f4de}', path: 'c:\\u0000', deep: ['\udc00'] };
    const { json } = pack({ kind: 'event', row: anEvent(session, { data }) }, run);
    expect((JSON.parse(json) as { data: unknown }).data).toEqual({
      '\ufffdkey': 'nul \ufffd',
      half: '\ufffd',
      whole: '\u{1f4de}',
      path: 'c:\\u0000',
      deep: ['\ufffd'],
    });
  });
});

describe('after a crash', () => {
  it('a torn tail costs the torn line only', async () => {
    const spool = await Spool.open({ dir });
    const lines = [1, 2, 3].map(() => toLine(pack({ kind: 'session', row: aSession() }, crypto.randomUUID())));
    await spool.append(lines);
    await spool.close();
    const path = join(dir, files()[0]!);
    truncateSync(path, statSync(path).size - 20);
    const again = await Spool.open({ dir });
    await again.append([lines[0]!]);
    const read = (await readAll(again)).map((line) => fromLine(line) !== undefined);
    expect(read).toEqual([true, true, false, true]);
    await again.close();
  });

  it('an empty file and a stranger’s file do not matter', async () => {
    appendFileSync(join(dir, 'spool-000000000007.ndjson'), '');
    appendFileSync(join(dir, 'notes.txt'), 'hello');
    const spool = await Spool.open({ dir });
    expect(spool.isEmpty).toBe(true);
    await spool.append(['a']);
    expect(await readAll(spool)).toEqual(['a']);
    expect(files()).toEqual(['notes.txt']);
    await spool.close();
  });
});
