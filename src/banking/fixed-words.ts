import { asTheyStand } from '../dialogue/speaking/prompts.ts';
import type { ActionCatalogue } from './declaration.ts';

/** Everything `catalogue` has the bot say as it stands, to be spoken ahead of the first call that needs it. Pure. */
export function fixedWords({ verification, phrases, actions }: ActionCatalogue): string[] {
  const { customerNumber, pin, say } = verification ?? {};
  const said = actions.flatMap(({ policy, choose, outcomes, problems }) => {
    const confirm = policy.confirm || undefined;
    return [
      ...[confirm?.prompt, confirm?.reprompt, confirm?.declined],
      ...[choose?.prompt, choose?.reprompt, choose?.none.say],
      ...[...outcomes, ...problems].map((one) => one.say),
    ];
  });
  return asTheyStand([
    ...[customerNumber?.prompt, customerNumber?.reprompt, customerNumber?.again],
    ...[pin?.prompt, pin?.promptPreselected, pin?.reprompt],
    ...Object.values(say ?? {}),
    ...Object.values(phrases),
    ...said,
  ]);
}
