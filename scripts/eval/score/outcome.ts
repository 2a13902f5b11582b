import type { Expected } from '../corpus/types.ts';
import { type CallRecord, rowsWithin, type Span } from './record.ts';

/** What is wrong with a turn, in words; undefined when it did what the caller asked. Pure. */
export function whatIsWrong(expect: Expected, record: CallRecord, span: Span): string | undefined {
  const { bot, transactions } = rowsWithin(record, span);
  for (const wanted of expect.transactions ?? []) {
    const met = transactions.some(
      (row) =>
        row.transactionType === wanted.type &&
        (wanted.outcome === undefined || row.outcome === wanted.outcome) &&
        (wanted.authenticationStatus === undefined || row.authenticationStatus === wanted.authenticationStatus) &&
        (wanted.customerId === undefined || row.customerId === wanted.customerId),
    );
    if (!met) return `no ${Object.values(wanted).join(' ')} in the ledger`;
  }
  const forbidden = transactions.find((row) => expect.never?.includes(row.transactionType));
  if (forbidden) return `${forbidden.transactionType} in the ledger`;
  const said = bot.map((row) => row.text).join(' ');
  if (expect.said !== undefined && !new RegExp(expect.said, 'i').test(said))
    return `the bot did not say /${expect.said}/`;
  if (expect.unsaid !== undefined && new RegExp(expect.unsaid, 'i').test(said))
    return `the bot said /${expect.unsaid}/`;
  return undefined;
}
