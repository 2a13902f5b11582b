import type { Bot } from '../../api/outbound-types.ts';
import { Field } from './field.tsx';

export interface BotFieldsProps {
  /** Those that call out; undefined until they are known. */
  bots: Bot[] | undefined;
  bot: string;
  purpose: string;
  errors: Readonly<Record<string, string>>;
  onBot: (name: string) => void;
  onPurpose: (text: string) => void;
}

/** Who calls, and what about. */
export function BotFields({ bots, bot, purpose, errors, onBot, onPurpose }: BotFieldsProps) {
  const manner = bots?.find(({ name }) => name === bot)?.outbound;
  return (
    <>
      <Field
        label="Bot"
        error={errors.bot}
        hint={manner?.verify ? 'Tells its purpose to nobody but a verified customer.' : undefined}
      >
        {(control) => (
          <select {...control} value={bot} onChange={(event) => onBot(event.target.value)}>
            {bots?.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Purpose" error={errors.purpose} hint="Said word for word; left empty, the bot’s own.">
        {(control) => (
          <input
            {...control}
            value={purpose}
            maxLength={1000}
            placeholder={manner?.purpose ?? ''}
            onChange={(event) => onPurpose(event.target.value)}
          />
        )}
      </Field>
    </>
  );
}
