import type { YamlPath } from '../../core/checked-yaml.ts';
import type { Hours } from './hours.ts';
import type { Note } from './note.ts';
import type { NumberRule } from './routing.ts';
import type { RuleEntry } from './schema.ts';

/** A rule, and where to note what is wrong with it among others. */
export interface NotedRule {
  rule: NumberRule;
  note: Note;
}

interface Names {
  bots: ReadonlyMap<string, unknown>;
  hours: ReadonlyMap<string, Hours>;
  trunks: ReadonlyMap<string, unknown>;
}

/** From the form to the meaning; what leads nowhere is noted with its place. */
export function compileRule(entry: RuleEntry, names: Names, note: Note): NotedRule {
  const { bot, refuse, hours, closed, trunks } = entry;
  const known = (name: string, path: YamlPath) => {
    if (!names.bots.has(name)) note(path, `there is no bot "${name}"`);
  };
  if (bot !== undefined) known(bot, ['bot']);
  if (closed && 'bot' in closed) known(closed.bot, ['closed', 'bot']);
  if (hours !== undefined && !names.hours.has(hours)) note(['hours'], `there are no hours "${hours}"`);
  for (const [index, name] of (trunks ?? []).entries()) {
    if (!names.trunks.has(name)) note(['trunks', index], `there is no trunk "${name}"`);
  }
  const rule: NumberRule = {
    match: matchOf(entry),
    trunks: trunks && new Set(trunks),
    to: bot !== undefined ? { bot } : { refuse: refuse! },
    hours: hours === undefined ? undefined : names.hours.get(hours),
    closed: closed && ('bot' in closed ? closed : { refuse: closed }),
  };
  return { rule, note };
}

function matchOf({ number, prefix, pattern }: RuleEntry): NumberRule['match'] {
  if (number !== undefined) return { number };
  if (prefix !== undefined) return { prefix };
  return pattern !== undefined ? { pattern } : { any: true };
}

/** Of two rules for one number in one trunk nobody could say which decides. */
export function checkTwins(rules: readonly NotedRule[]): void {
  const seen = new Set<string>();
  for (const { rule, note } of rules) {
    const { match } = rule;
    const key = JSON.stringify([match, 'pattern' in match ? match.pattern.source : '', [...(rule.trunks ?? [])]]);
    if (seen.has(key)) note([], 'there is another rule for this number');
    seen.add(key);
  }
}
