import type { ActionCatalogue } from './declaration.ts';

/** Everything `catalogue` has the bot say as it stands, to be spoken ahead of the first call that needs it. Pure. */
export function fixedWords({ verification, phrases, actions }: ActionCatalogue): string[] {
  const asked = [verification?.customerNumber, verification?.pin].flatMap((question) =>
    Object.entries(question ?? {}).flatMap(([key, value]) =>
      key !== 'argument' && typeof value === 'string' ? value : [],
    ),
  );
  const said = actions.flatMap(({ policy, choose, outcomes, problems }) => [
    policy.confirm ? [policy.confirm.prompt, policy.confirm.reprompt, policy.confirm.declined] : [],
    [choose?.prompt, choose?.reprompt, choose?.none.say],
    [...outcomes, ...problems].map(({ say }) => say),
  ]);
  const all = [asked, Object.values(verification?.say ?? {}), Object.values(phrases), said].flat(3);
  return all.filter((words) => words !== undefined && !words.includes('{')) as string[];
}
