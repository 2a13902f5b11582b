import type { BotProfile, OutboundManner } from '../bot/bot-profile.ts';
import type { OrderRequest } from './order.ts';

/** `{name}` in a bot's words: a variable of the order. */
const VARIABLE = /\{([a-z][a-z0-9_]*)\}/gi;

/** The bot's words for one order: its profile and manner with the order's variables in them. */
export interface OrderWords {
  profile: BotProfile;
  manner: OutboundManner;
  purpose: string | undefined;
}

/** Variables that the bot's words refer to and the order does not have. Empty: everything can be said. */
export function missingVariables(profile: BotProfile, manner: OutboundManner, request: OrderRequest): string[] {
  const { greeting } = profile.prompts;
  const spoken = [greeting, manner.rightParty, request.purpose ?? manner.purpose, manner.message, manner.wrongParty];
  const wanted = [...spoken, profile.instructions].flatMap((text) => [...(text ?? '').matchAll(VARIABLE)]);
  const names = new Set(wanted.map(([, name]) => name!));
  return [...names].filter((name) => !Object.hasOwn(request.variables, name)).sort();
}

/** Fills the order's variables in. A name that the order lacks stays as it stands. */
export function wordsFor(profile: BotProfile, manner: OutboundManner, request: OrderRequest): OrderWords {
  const fill = (text: string) =>
    text.replace(VARIABLE, (whole, name: string) =>
      Object.hasOwn(request.variables, name) ? request.variables[name]! : whole,
    );
  const maybe = (text: string | undefined) => text && fill(text);
  const purpose = maybe(request.purpose ?? manner.purpose);
  const filled: OutboundManner = {
    ...manner,
    rightParty: maybe(manner.rightParty),
    message: maybe(manner.message),
    wrongParty: fill(manner.wrongParty),
    notVerified: fill(manner.notVerified),
  };
  return {
    purpose,
    manner: filled,
    profile: {
      ...profile,
      prompts: { ...profile.prompts, greeting: fill(profile.prompts.greeting) },
      instructions: `${fill(profile.instructions)} ${briefing(request, filled, purpose)}`,
    },
  };
}

/** What a language model has to know of a call that we make. */
function briefing({ variables }: OrderRequest, { verify }: OutboundManner, purpose: string | undefined): string {
  const facts = Object.entries(variables).map(([name, value]) => `${name.replaceAll('_', ' ')}: ${value}`);
  return [
    'In this call you have called the customer.',
    ...(purpose === undefined ? [] : [`The call is about this: ${purpose}`]),
    ...(facts.length === 0 ? [] : [`What is known: ${facts.join('; ')}.`]),
    'The system finds out who answers and tells what the call is about; say none of that before it has.',
    ...(verify ? ['Nothing private may be said until the customer is verified.'] : []),
  ].join(' ');
}
