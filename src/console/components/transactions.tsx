import type { Transaction } from '../api/types.ts';
import { exactTime, plain, words } from '../format.ts';
import { Chip } from './chip.tsx';

const OUTCOME = { POSTED: 'good', PENDING: 'info', FAILED: 'bad', UNKNOWN: 'warn' };
const AUTHENTICATION = { VERIFIED: 'good', PENDING: 'info', FAILED: 'bad' };
const AUTHENTICATION_TEXT = { VERIFIED: 'Customer verified', PENDING: 'Not yet verified', FAILED: 'Not verified' };

export function Transactions({ transactions, live }: { transactions: Transaction[]; live: boolean }) {
  return (
    <section className="panel" aria-labelledby="transactions-title">
      <h2 id="transactions-title">Banking transactions</h2>
      {transactions.length === 0 && <p className="empty">{live ? 'None so far.' : 'None in this call.'}</p>}
      <ul className="transactions">
        {transactions.map((one) => (
          <li key={one.transactionId}>
            <div className="transaction-head">
              <strong>{words(one.transactionType)}</strong>
              <Chip tone={OUTCOME[one.outcome]} text={words(one.outcome)} />
            </div>
            <p className="transaction-meta">
              <time dateTime={one.createdAt}>{exactTime(one.createdAt)}</time>
              <Chip
                tone={`plain ${AUTHENTICATION[one.authenticationStatus]}`}
                text={AUTHENTICATION_TEXT[one.authenticationStatus]}
              />
              {one.customerId && <span>Customer {one.customerId}</span>}
            </p>
            <Data of={one.queryParameters} name="Asked" />
            <Data of={one.responseData ?? {}} name="Answered" />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Data({ of, name }: { of: Record<string, unknown>; name: string }) {
  const entries = Object.entries(of);
  if (entries.length === 0) return null;
  return (
    <details>
      <summary>{name}</summary>
      <dl className="data">
        {entries.map(([key, value]) => (
          <div key={key}>
            <dt>{words(key)}</dt>
            <dd>{plain(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
