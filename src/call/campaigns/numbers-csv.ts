/** One number of a campaign's file. */
export interface CampaignNumber {
  /** In the file, from 1; the header is line 1. */
  line: number;
  number: string;
  variables: Record<string, string>;
}

export interface BadLine {
  line: number;
  message: string;
}

export interface NumbersFile {
  /** Names of the columns beside the number's. */
  columns: string[];
  numbers: CampaignNumber[];
  /** Lines that cannot be used, each with why: the others are not held up by them. */
  rejected: BadLine[];
  /** Lines whose number stands in an earlier line. */
  duplicates: { line: number; of: number }[];
}

const NUMBER = /^\+?[0-9]{2,32}$/;
const COLUMN = /^[a-z][a-z0-9_]{0,31}$/;
const VALUE = /^[^\p{Cc}{}]{0,200}$/u;

/**
 * Reads a CSV file (RFC 4180; commas or semicolons) with a header: the column `number`, the others are variables.
 * A header that cannot be used makes it `rejected` in line 1, without numbers.
 */
export function readNumbers(csv: string): NumbersFile {
  const file: NumbersFile = { columns: [], numbers: [], rejected: [], duplicates: [] };
  const [header, ...rows] = records(csv.replace(/^\uFEFF/, ''));
  const names = header?.fields.map((name) => name.trim().toLowerCase()) ?? [];
  const at = names.indexOf('number');
  const bad = names.find((name) => !COLUMN.test(name));
  if (at < 0 || bad !== undefined || new Set(names).size !== names.length) {
    const message =
      at < 0
        ? 'there is no column "number": the first line names the columns'
        : bad !== undefined
          ? `column "${bad}" is no name: a letter, then letters, digits and _`
          : 'two columns have the same name';
    file.rejected.push({ line: 1, message });
    return file;
  }
  file.columns = names.filter((name) => name !== 'number');
  const seen = new Map<string, number>();
  for (const { line, fields, torn } of rows) {
    if (fields.length === 1 && fields[0]!.trim() === '') continue;
    const number = (fields[at] ?? '').replace(/[().\s-]/g, '');
    const values = names
      .map((name, i) => [name, (fields[i] ?? '').trim()] as const)
      .filter(([name]) => name !== 'number');
    const wrong = values.find(([, value]) => !VALUE.test(value));
    if (torn) file.rejected.push({ line, message: 'a quote is never closed' });
    else if (fields.length !== names.length) {
      file.rejected.push({
        line,
        message: `has ${fields.length} fields, the header ${names.length}: a comma in a field needs quotes`,
      });
    } else if (!NUMBER.test(number))
      file.rejected.push({ line, message: 'is no telephone number: digits, with + before a country code' });
    else if (wrong)
      file.rejected.push({ line, message: `"${wrong[0]}" is too long or has signs that cannot be spoken` });
    else if (seen.has(spelled(number))) file.duplicates.push({ line, of: seen.get(spelled(number))! });
    else {
      seen.set(spelled(number), line);
      file.numbers.push({ line, number, variables: Object.fromEntries(values) });
    }
  }
  return file;
}

/** "0049 30 ..." is who "+49 30 ..." is. */
const spelled = (number: string) => number.replace(/^00/, '+');

interface Row {
  line: number;
  fields: string[];
  torn: boolean;
}

function records(csv: string): Row[] {
  const firstLine = csv.split(/\r?\n/, 1)[0]!;
  const separator = firstLine.includes(';') && !firstLine.includes(',') ? ';' : ',';
  const rows: Row[] = [];
  let line = 1;
  let row: Row = { line, fields: [], torn: false };
  let field = '';
  let quoted = false;
  for (let i = 0; i <= csv.length; i++) {
    const sign = csv[i];
    if (sign === '\n') line++;
    if (quoted && sign !== undefined) {
      if (sign !== '"') field += sign;
      else if (csv[i + 1] === '"') {
        field += '"';
        i++;
      } else quoted = false;
    } else if (sign === '"' && field.trim() === '') {
      quoted = true;
      field = '';
    } else if (sign === separator) {
      row.fields.push(field);
      field = '';
    } else if (sign === '\n' || sign === undefined) {
      if (sign === undefined && row.fields.length === 0 && field === '' && !quoted) break;
      row.fields.push(field.replace(/\r$/, ''));
      row.torn = quoted;
      rows.push(row);
      row = { line, fields: [], torn: false };
      field = '';
    } else field += sign;
  }
  return rows;
}
