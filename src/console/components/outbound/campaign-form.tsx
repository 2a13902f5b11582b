import { type ChangeEvent, type FormEvent, useState } from 'react';
import type { ApiError } from '../../api/client.ts';
import { outbound } from '../../api/outbound.ts';
import type { Bot, CreatedCampaign, NewCampaign } from '../../api/outbound-types.ts';
import { BotFields } from './bot-fields.tsx';
import { Field } from './field.tsx';
import { FileReport } from './file-report.tsx';
import { useRequestKey } from './request-key.ts';

const NOTHING = { name: '', purpose: '', hours: '', csv: '', callsPerMinute: '10', concurrent: '5' };

/** A new campaign, from a file or from what is pasted. */
export function CampaignForm({ bots, onCreated }: { bots: Bot[] | undefined; onCreated: () => void }) {
  const [values, setValues] = useState(NOTHING);
  const [chosen, setBot] = useState('');
  const [file, setFile] = useState<{ name: string; text: string }>();
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [created, setCreated] = useState<CreatedCampaign>();
  const requestKey = useRequestKey();

  const bot = chosen || (bots?.[0]?.name ?? '');
  const columns = ['number', ...(bots?.find(({ name }) => name === bot)?.outbound?.variables ?? [])];
  const errors = error?.fields ?? {};
  const lacking = Object.keys(errors).some((field) => field.startsWith('variables.'));
  /** What is wrong with the lines. */
  const lines = lacking ? error?.message : errors.csv?.startsWith('must') ? 'There is no number to call.' : errors.csv;
  const text = (name: keyof typeof NOTHING) => ({
    value: values[name],
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      setValues({ ...values, [name]: event.target.value }),
  });

  const choose = async ({ target }: ChangeEvent<HTMLInputElement>) => {
    const chosenFile = target.files?.[0];
    setError(undefined);
    setFile(chosenFile && { name: chosenFile.name, text: await chosenFile.text() });
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setSending(true);
    setError(undefined);
    setCreated(undefined);
    const { name, purpose, hours, csv, callsPerMinute, concurrent } = values;
    const campaign: NewCampaign = {
      name: name.trim(),
      bot,
      csv: file?.text ?? csv,
      ...(purpose.trim() && { purpose: purpose.trim() }),
      ...(hours.trim() && { hours: hours.trim() }),
      callsPerMinute: Number(callsPerMinute),
      concurrent: Number(concurrent),
    };
    outbound
      .createCampaign(campaign, requestKey.of(JSON.stringify(campaign)))
      .then(
        (answer) => {
          requestKey.done();
          setCreated(answer);
          setValues(NOTHING);
          setFile(undefined);
          form.reset();
          onCreated();
        },
        (refusal: ApiError) => setError(refusal),
      )
      .finally(() => setSending(false));
  };

  return (
    <form className="panel" aria-labelledby="campaign-title" onSubmit={submit} noValidate>
      <h2 id="campaign-title">New campaign</h2>
      <Field label="Name" error={errors.name && 'Give it a name.'}>
        {(control) => <input {...control} {...text('name')} maxLength={100} autoComplete="off" />}
      </Field>
      <BotFields
        bots={bots}
        bot={bot}
        purpose={values.purpose}
        errors={errors}
        onBot={setBot}
        onPurpose={(purpose) => setValues({ ...values, purpose })}
      />
      <Field
        label="File"
        error={file && lines}
        hint={
          file
            ? `The lines of ${file.name} are taken.`
            : `CSV with the ${columns.length > 1 ? 'columns' : 'column'} ${columns.join(', ')}.`
        }
      >
        {(control) => <input {...control} type="file" accept=".csv,text/csv,text/plain" onChange={choose} />}
      </Field>
      <Field label="Or its lines" error={file ? undefined : lines}>
        {(control) => (
          <textarea
            {...control}
            {...text('csv')}
            rows={5}
            spellCheck={false}
            disabled={file !== undefined}
            placeholder={`${columns.join(',')}\n+4930123456${columns.length > 1 ? ',…' : ''}`}
          />
        )}
      </Field>
      <div className="pair">
        <Field label="Calls per minute" error={errors.callsPerMinute && 'From above 0 to 6,000.'}>
          {(control) => <input {...control} {...text('callsPerMinute')} inputMode="decimal" />}
        </Field>
        <Field label="At once" error={errors.concurrent && 'From 1 to 1,000.'}>
          {(control) => <input {...control} {...text('concurrent')} inputMode="numeric" />}
        </Field>
      </div>
      <Field label="Hours" error={errors.hours} hint="Of sip-config; left empty, at any time.">
        {(control) => <input {...control} {...text('hours')} maxLength={64} autoComplete="off" />}
      </Field>
      <button type="submit" className="button primary" disabled={sending || !bot}>
        Start the campaign
      </button>
      {error && (
        <p className="form-note bad" role="alert">
          {Object.keys(errors).length > 0 ? 'Not started: see the fields marked above.' : error.message}
        </p>
      )}
      {created && <FileReport created={created} />}
    </form>
  );
}
