import { type FormEvent, useState } from 'react';
import type { ApiError } from '../../api/client.ts';
import { outbound } from '../../api/outbound.ts';
import type { Bot, Gateway, NewOrder } from '../../api/outbound-types.ts';
import { words } from '../../format.ts';
import { BotFields } from './bot-fields.tsx';
import { Field } from './field.tsx';
import { useRequestKey } from './request-key.ts';

export interface OrderFormProps {
  bots: Bot[] | undefined;
  gateways: Gateway[] | undefined;
  onOrdered: () => void;
}

/** Orders one call. What the connector does not accept is said beside the field. */
export function OrderForm({ bots, gateways, onOrdered }: OrderFormProps) {
  const [to, setTo] = useState('');
  const [chosen, setBot] = useState('');
  const [purpose, setPurpose] = useState('');
  const [gateway, setGateway] = useState('');
  const [values, setValues] = useState<Record<string, string>>({});
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [note, setNote] = useState('');
  const requestKey = useRequestKey();

  const bot = chosen || (bots?.[0]?.name ?? '');
  const errors = error?.fields ?? {};
  const named = bots?.find(({ name }) => name === bot)?.outbound?.variables ?? [];
  // A purpose of one's own may name more: the refusal tells which.
  const refused = Object.keys(errors).flatMap((field) => (field.startsWith('variables.') ? [field.slice(10)] : []));
  const variables = [...new Set([...named, ...Object.keys(values), ...refused])];
  const shown = ['to', 'bot', 'purpose', 'gateway', ...variables.map((name) => `variables.${name}`)];

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const order: NewOrder = {
      to: to.trim(),
      bot,
      ...(purpose.trim() && { purpose: purpose.trim() }),
      ...(gateway && { gateway }),
      variables: Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== '')),
    };
    setSending(true);
    setError(undefined);
    setNote('');
    outbound
      .order(order, requestKey.of(JSON.stringify(order)))
      .then(
        () => {
          requestKey.done();
          setTo('');
          setValues({});
          setNote(`The call to ${order.to} is ordered.`);
          onOrdered();
        },
        (refusal: ApiError) => setError(refusal),
      )
      .finally(() => setSending(false));
  };

  return (
    <form className="panel" aria-labelledby="order-title" onSubmit={submit} noValidate>
      <h2 id="order-title">Order a call</h2>
      <Field label="To" error={errors.to && readable(errors.to)}>
        {(control) => (
          <input
            {...control}
            value={to}
            maxLength={256}
            autoComplete="off"
            placeholder="+49 30 123456"
            onChange={(event) => setTo(event.target.value)}
          />
        )}
      </Field>
      <BotFields bots={bots} bot={bot} purpose={purpose} errors={errors} onBot={setBot} onPurpose={setPurpose} />
      {variables.map((name) => (
        <Field
          key={name}
          label={words(name)}
          error={errors[`variables.${name}`] && variableError(errors[`variables.${name}`]!)}
          hint={named.includes(name) ? 'The bot’s words name it.' : undefined}
        >
          {(control) => (
            <input
              {...control}
              value={values[name] ?? ''}
              maxLength={200}
              autoComplete="off"
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
            />
          )}
        </Field>
      ))}
      <Field label="Gateway" error={errors.gateway}>
        {(control) => (
          <select {...control} value={gateway} onChange={(event) => setGateway(event.target.value)}>
            <option value="">Any that serves the number</option>
            {gateways?.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <button type="submit" className="button primary" disabled={sending || !bot}>
        Order the call
      </button>
      {error && !Object.keys(errors).some((field) => shown.includes(field)) ? (
        <p className="form-note bad" role="alert">
          {error.message}
        </p>
      ) : (
        <p className="form-note" role="status">
          {error ? 'Not ordered: see the fields marked above.' : note}
        </p>
      )}
    </form>
  );
}

const readable = (message: string) =>
  message.startsWith('must match') || message.startsWith('must NOT')
    ? 'This is neither a telephone number nor a SIP address.'
    : message;

const variableError = (message: string) => (message.startsWith('must match') ? 'This cannot be spoken.' : message);
