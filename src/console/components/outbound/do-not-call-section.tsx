import { type FormEvent, useState } from 'react';
import type { ApiError } from '../../api/client.ts';
import { outbound } from '../../api/outbound.ts';
import type { BarredNumber } from '../../api/outbound-types.ts';
import { count } from '../../format.ts';
import { usePolled } from '../../hooks/use-polled.ts';
import { Moment } from '../moment.tsx';
import { ConfirmButton } from './confirm-button.tsx';
import { Field } from './field.tsx';
import { Listing } from './listing.tsx';

/** Rows shown; the others are found by their number. */
const SHOWN = 200;
/** The connector sends no more. */
const MOST = 10_000;

/** Numbers without their separators, as the connector compares them. */
const normalised = (number: string) => number.replace(/[().\s-]/g, '');

export function DoNotCallSection() {
  const { data, error, loading, refresh } = usePolled(outbound.barred);
  const [sought, setSought] = useState('');
  const [refusal, setRefusal] = useState('');
  const found = data?.filter(({ number }) => number.includes(normalised(sought)));

  const remove = ({ number }: BarredNumber) => {
    setRefusal('');
    outbound
      .unbar(number)
      .catch((error: ApiError) => setRefusal(`${number}: ${error.message}`))
      .finally(refresh);
  };

  return (
    <div className="with-form">
      <BarForm onBarred={refresh} />
      <Listing
        title="Never called"
        loading={loading}
        error={refusal || error}
        count={found?.length}
        empty={emptyText(sought, data?.length ?? 0)}
        tools={
          <input
            type="search"
            aria-label="Look a number up"
            placeholder="Look a number up"
            maxLength={64}
            value={sought}
            onChange={(event) => setSought(event.target.value)}
          />
        }
      >
        <table>
          <thead>
            <tr>
              <th scope="col">Number</th>
              <th scope="col">Reason</th>
              <th scope="col">Since</th>
              <th scope="col">
                <span className="visually-hidden">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {found?.slice(0, SHOWN).map((entry) => (
              <tr key={entry.number}>
                <th scope="row">{entry.number}</th>
                <td>{entry.reason || <span className="muted">None given</span>}</td>
                <td>
                  <Moment at={entry.since} />
                </td>
                <td className="actions">
                  <ConfirmButton
                    label="Remove"
                    about={entry.number}
                    question="May be called again?"
                    onConfirm={() => remove(entry)}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {found && found.length > SHOWN && <p className="empty">and {found.length - SHOWN} more: look the number up.</p>}
      </Listing>
    </div>
  );
}

function emptyText(sought: string, barred: number): string {
  if (barred === 0) return 'No number is barred. Who asks not to be called again belongs here.';
  const among = barred < MOST ? '' : ` among the first ${count(MOST)}`;
  return `${sought.trim()} is not on the list${among}.`;
}

function BarForm({ onBarred }: { onBarred: () => void }) {
  const [number, setNumber] = useState('');
  const [reason, setReason] = useState('');
  const [error, setError] = useState<ApiError>();
  const [note, setNote] = useState('');

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setError(undefined);
    setNote('');
    outbound.bar(number.trim(), reason.trim()).then(
      () => {
        setNote(`${normalised(number)} is not called any more.`);
        setNumber('');
        setReason('');
        onBarred();
      },
      (refusal: ApiError) => setError(refusal),
    );
  };

  const wrong = error?.fields.number !== undefined;
  return (
    <form className="panel" aria-labelledby="bar-title" onSubmit={submit} noValidate>
      <h2 id="bar-title">Never call a number</h2>
      <Field
        label="Number"
        error={wrong ? 'This is no telephone number.' : undefined}
        hint="Written as orders write it: +49… and 0049… are two numbers."
      >
        {(control) => (
          <input
            {...control}
            value={number}
            inputMode="tel"
            maxLength={64}
            autoComplete="off"
            onChange={(event) => setNumber(event.target.value)}
          />
        )}
      </Field>
      <Field label="Reason" error={error?.fields.reason}>
        {(control) => (
          <input
            {...control}
            value={reason}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
      <button type="submit" className="button primary" disabled={number.trim() === ''}>
        Add to the list
      </button>
      <p className={error ? 'form-note bad' : 'form-note'} role="status">
        {error && !wrong ? error.message : note}
      </p>
    </form>
  );
}
