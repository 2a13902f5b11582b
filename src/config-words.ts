import type { z } from 'zod';

/** What is wrong with a setting, for who has written it. */
export function inWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'number' || issue.expected === 'int' ? 'must be a number' : issue.message;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'too_small':
      return issue.message.startsWith('must')
        ? issue.message
        : `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'invalid_value':
      return `must be ${issue.values.join(', ')}`;
    case 'invalid_format':
      return issue.format === 'url' ? 'must be a URL' : issue.message;
    default:
      return issue.message;
  }
}

/**
 * Names of `.env` that are nearly one of ours: they would be passed over, and a default rule in their place. Other names are
 * none of our business, ${NAME} in sip-config/ may refer to them.
 */
export function misspelt(names: readonly string[], known: readonly string[]): string[] {
  return names.flatMap((name) => {
    if (known.includes(name)) return [];
    const near = known.find((one) => one.length > 5 && isNear(name, one));
    return near === undefined ? [] : [`${name} in .env: is no setting, ${near} is one`];
  });
}

/** One letter more, less, another, or two that have changed places. */
function isNear(name: string, known: string): boolean {
  const [a, b] = [name.toUpperCase(), known];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [more, less] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  // Several keys of one kind are told apart by figures.
  if (less === '' && /^[\d_]$/.test(more)) return false;
  if (more.length <= 1 && less.length <= 1) return true;
  return more.length === 2 && less.length === 2 && more[0] === less[1] && more[1] === less[0];
}
