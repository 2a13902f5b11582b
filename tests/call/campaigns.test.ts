import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNumbers } from '../../src/call/campaigns/numbers-csv.ts';
import { openUntil } from '../../src/call/campaigns/open-until.ts';

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

describe('a file of numbers', () => {
  it('is read with its variables, whatever quotes and separators it has', () => {
    const file = readNumbers('\uFEFFname;Number\r\n"Smith; Anna";+49 (30) 1001\r\n"O""Neil";+49301002');
    expect(file).toEqual({
      columns: ['name'],
      numbers: [
        { line: 2, number: '+49301001', variables: { name: 'Smith; Anna' } },
        { line: 3, number: '+49301002', variables: { name: 'O"Neil' } },
      ],
      rejected: [],
      duplicates: [],
    });
  });

  it('with bad lines says which, and loses none of the others', () => {
    const file = readNumbers(
      'number,name\n+491001,A\nnobody,B\n+491002\n+491003,"two\nlines"\n+49 1001,C\n\n+491004,{x}\n+491005,D\n+491006,"torn',
    );
    expect(file.numbers.map(({ line, number }) => [line, number])).toEqual([
      [2, '+491001'],
      [10, '+491005'],
    ]);
    expect(file.rejected.map(({ line }) => line)).toEqual([3, 4, 5, 9, 11]);
    expect(file.duplicates).toEqual([{ line: 7, of: 2 }]);
  });

  it.each([
    ['without the column', 'phone\n+491001'],
    ['with a column twice', 'number,a,a\n+491001,b,c'],
    ['that is empty', ''],
  ])('%s has no numbers, and says so', (_what, csv) => {
    expect(readNumbers(csv)).toMatchObject({ numbers: [], rejected: [{ line: 1 }] });
  });

  it('comes back as it was written, and every line is somewhere', () => {
    const value = fc.string({ maxLength: 20, unit: fc.constantFrom(...'abc ",;\'é') });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 10, max: 60 }), value), { maxLength: 60 }), (rows) => {
        const file = readNumbers(
          ['number,name', ...rows.map(([number, name]) => `${number},${quoted(name)}`)].join('\n'),
        );
        expect(file.rejected).toEqual([]);
        expect(file.numbers.length + file.duplicates.length).toBe(rows.length);
        for (const { line, number, variables } of file.numbers) {
          const [given, name] = rows[line - 2]!;
          expect([number, variables.name]).toEqual([String(given), name.trim()]);
        }
      }),
    );
  });

  it('of any bytes is read to its end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (csv) => void readNumbers(`number,x\n${csv}`)),
    );
  });
});

describe('a campaign calls', () => {
  const now = new Date('2026-12-01T16:30:20Z');
  const latest = '2026-12-05T00:00:00.000Z';
  const office = (_name: string, at: Date) =>
    at.getUTCHours() >= 8 && at.getUTCHours() < 17 ? new Date('2026-12-01T17:00:00Z') : undefined;

  it('while its hours are open, and until they close', () => {
    expect(openUntil({ hours: 'office', latest }, now, office)).toEqual(new Date('2026-12-01T17:00:00Z'));
    expect(openUntil({ hours: 'office', latest }, new Date('2026-12-01T17:00:00Z'), office)).toBeUndefined();
  });

  it('not after its last day, even where its hours go on', () => {
    expect(openUntil({ latest }, new Date(latest), office)).toBeUndefined();
    expect(openUntil({ latest }, now, office)).toEqual(new Date(latest));
    const soon = '2026-12-01T16:45:00.000Z';
    expect(openUntil({ hours: 'office', latest: soon }, now, office)).toEqual(new Date(soon));
  });
});
