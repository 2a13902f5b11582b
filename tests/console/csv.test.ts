import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/console/csv.ts';

const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;
const fields = fc.array(fc.string({ unit: fc.constantFrom('a', '"', ',', '\r', '\n', ';', 'ä') }), {
  minLength: 1,
  maxLength: 5,
});

describe('a CSV file in the console', () => {
  it('is read as it was written, whatever stands in its fields', () => {
    fc.assert(
      fc.property(fc.array(fields), fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, newline, ends) => {
        const text = rows.map((row) => row.map(quoted).join(',')).join(newline);
        // A lone empty field that nothing ends is no line.
        const last = rows.at(-1);
        fc.pre(ends || last === undefined || last.length > 1 || last[0] !== '');
        expect(parseCsv(ends && rows.length > 0 ? text + newline : text)).toEqual(rows);
      }),
    );
  });

  it('needs no quotes where nothing is to be quoted', () => {
    expect(parseCsv('line,number,name\r\n2,+4930123456,\r\n')).toEqual([
      ['line', 'number', 'name'],
      ['2', '+4930123456', ''],
    ]);
  });
});
