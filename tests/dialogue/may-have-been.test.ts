import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadActions } from '../../src/banking/load-actions.ts';
import { actionsOf } from '../../src/banking/view.ts';
import { mayHaveBeen } from '../../src/dialogue/requests/may-have-been.ts';
import { requestsIn } from '../../src/dialogue/requests/request-reader.ts';

const actions = actionsOf(
  loadActions(fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url))),
);

describe('what may have been said', () => {
  it('is the guess, and what sounds like what either ear has made of it', () => {
    const sentences = mayHaveBeen('please goodbye now', 'lock my meddles cards', actions);
    expect(sentences[0]).toBe('please goodbye now');
    const names = new Set(sentences.flatMap((text) => requestsIn(text, actions).map(({ name }) => name)));
    expect(names).toContain('block_card');
    expect(names.size).toBeGreaterThan(1);
    expect(sentences).toContain('goodbye now');
  });

  it('is also a part of the guess: what noise adds to a request sounds like another', () => {
    const sentences = mayHaveBeen('uh please verify me and current balance', 'we there is my name over', actions);
    expect(sentences).toContain('please verify me');
    expect(sentences).toContain('current balance');
  });

  it('is what is asked for, in several wordings, where other talk sounds more like what was written', () => {
    expect(mayHaveBeen('', "it's very timid", actions)).toContain('please verify me');
    expect(mayHaveBeen('', 'things are very tiny', actions)).toContain('please verify me');
  });

  it('is little enough to be asked about while somebody waits', () => {
    for (const other of ['', 'please', 'where is my card', 'the weather in paris is lovely today']) {
      expect(mayHaveBeen('what is my balance', other, actions).length).toBeLessThanOrEqual(19);
    }
    expect(mayHaveBeen('', '', actions)).toEqual([]);
  });
});
