import type { CampaignResult } from '../call/campaigns/campaign.ts';

/** A campaign's results as a file: a line for each number, in the order of the file they came from. */
export function resultsCsv(rows: readonly CampaignResult[]): string {
  const variables = Object.keys(rows[0]?.variables ?? {});
  const header = [
    'line',
    'number',
    ...variables,
    'state',
    'outcome',
    'answered_by',
    'attempts',
    'ended_at',
    'order_id',
  ];
  const lines = rows.map((row) => [
    row.line,
    row.number,
    ...variables.map((name) => row.variables[name]),
    row.state ?? 'WAITING',
    row.outcome,
    row.answeredBy,
    row.attempts,
    row.endedAt?.toISOString(),
    row.orderId,
  ]);
  return `${[header, ...lines].map((fields) => fields.map(csvField).join(',')).join('\r\n')}\r\n`;
}

/** RFC 4180; a spreadsheet must not take what a customer is called for a formula (plain numbers keep their sign). */
function csvField(value: string | number | undefined): string {
  const text = String(value ?? '');
  const plain = /^[=@\t\r]|^[+-](?![0-9][0-9.,]*$)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
