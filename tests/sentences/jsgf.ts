/** What a JSGF grammar accepts, as a regular expression over words: our grammars have no recursion. */
export function acceptorOf(jsgf: string): (sentence: string) => boolean {
  const rules = new Map<string, string>();
  for (const [, name, text] of jsgf.matchAll(/^(?:public )?<(\w+)> = ([\s\S]*?);$/gm)) rules.set(name!, text!);
  const expression = (text: string): string =>
    text.replace(/\/[\d.]+\/|<(\w+)>|[()[\]|*+]|[^\s()[\]|*+<>/;]+|\s+/g, (token, rule: string | undefined) => {
      if (rule !== undefined) return `(?:${expression(rules.get(rule)!)})`;
      if (/^(\/|\s)/.test(token)) return '';
      if (token === '(' || token === '[') return '(?:';
      if (token === ']') return ')?';
      return /^[)|*+]$/.test(token) ? token : `(?:${token} )`;
    });
  const whole = new RegExp(`^(?:${expression(rules.get('s')!)})$`);
  return (sentence) => whole.test(`${sentence} `);
}
