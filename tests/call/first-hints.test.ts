import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { prepareEars } from '../../src/app/speech.ts';
import { loadActions } from '../../src/banking/load-actions.ts';
import { BANK_PROFILE, type BotProfile } from '../../src/call/bot/bot-profile.ts';
import { Bots } from '../../src/call/bot/bots.ts';
import { GREETING_HINTS } from '../../src/call/bot/greeting-hints.ts';
import type { SpeechHints } from '../../src/speech/ports.ts';

const ACTIONS = fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url));

it('a bot that comes by a reload is listened for before its first call: callers, people, callers of people, the called', () => {
  let profiles = new Map<string, BotProfile>([['bank', BANK_PROFILE]]);
  const bots = new Bots({
    profiles: () => profiles,
    catalogue: loadActions(ACTIONS),
    openDesk: () => {
      throw new TypeError('nobody calls here');
    },
  });
  const ready: SpeechHints[] = [];
  const prepare = () => {
    ready.length = 0;
    prepareEars({ prepare: (hints) => ready.push(hints) }, bots, 'computer take over');
    return ready.map(({ key, unhurried = false }) => ({ key, unhurried }));
  };
  const bank = prepare();
  const { key } = bots.all()[0]!.hintsFor({ kind: 'request' });
  expect(bank).toHaveLength(3);
  expect(bank).toEqual(
    expect.arrayContaining([
      { key, unhurried: false },
      { key, unhurried: true },
    ]),
  );
  expect(ready.some(({ jsgf, unhurried }) => unhurried && jsgf.includes('computer'))).toBe(true);

  const outbound = { onMachine: 'hang-up' } as BotProfile['outbound'];
  const caller: BotProfile = { ...BANK_PROFILE, name: 'caller', actions: ['card_delivery'], outbound };
  profiles = new Map([...profiles, ['caller', caller]]);
  const more = prepare().slice(bank.length);
  expect(more).toHaveLength(4);
  expect(more.map(({ key }) => key)).not.toContain(key);
  expect(more).toContainEqual({ key: GREETING_HINTS.key, unhurried: false });
});
