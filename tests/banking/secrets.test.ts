import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadActions } from '../../src/banking/load-actions.ts';
import { maskCardNumbers, redact } from '../../src/banking/redact.ts';
import { API_KEY, BankProcess } from './bank-process.ts';
import { CallAtTheDesk, resultOf } from './caller.ts';

/** Distinctive digits that stand in nothing else, so that finding them anywhere is a leak. */
const WRONG_PIN = '7183';

describe('what a call leaves behind', () => {
  let bank: BankProcess;
  beforeAll(async () => {
    bank = await BankProcess.start(['--log-level', 'trace']);
  });
  afterAll(() => bank.stop());

  test('holds no PIN and no key: not the logs of either side, the ledger, the events, the steps', async () => {
    const call = new CallAtTheDesk(bank.url, { phone: '+15550187', timeoutMs: 1000 });
    await call.ask('block_card', { card_kind: 'debit' }, [WRONG_PIN, '318274']);
    await bank.faults({ hang: true });
    await call.answer('7719');
    await bank.faults({ drop: true });
    await call.ask('block_card', { card_kind: 'debit' }, ['7719']);
    await bank.faults({});
    await call.ask('block_card', { card_kind: 'debit' }, ['7719', 'yes']);
    const journal = await bank.journal();
    expect(journal.some((entry) => entry.kind === 'card-blocked')).toBe(true);
    // Its whole log is here once it is gone.
    await bank.stop();

    const written = {
      log: call.log.text,
      bankLog: bank.log,
      ledger: JSON.stringify(call.ledger.rows),
      events: JSON.stringify(call.events),
      steps: JSON.stringify(call.steps),
      journal: JSON.stringify(journal),
    };
    for (const [place, text] of Object.entries(written)) {
      expect(text.length, place).toBeGreaterThan(100);
      // As a whole value: hashes and times may hold any four digits.
      for (const pin of [WRONG_PIN, '7719'])
        expect(text, place).not.toMatch(new RegExp(`(?<![0-9a-f.-])${pin}(?![0-9a-f.])`));
      expect(text, place).not.toContain(API_KEY);
    }
  });
});

describe('a bank that sends full card numbers', () => {
  const CARD = '4111111111111111';
  let server: Server;
  let url: string;
  let asked = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked += `${request.method} ${request.url}\n`;
      response.setHeader('content-type', 'application/json');
      const card = { id: CARD, kind: 'credit', last4: CARD, status: 'active', pin: '7719' };
      if (request.url?.endsWith('/verification')) {
        response.end(JSON.stringify({ verified: true, customer: { number: '471920', name: `Alex ${CARD}` } }));
      } else if (request.url?.endsWith('/block')) response.end(JSON.stringify({ card }));
      else response.end(JSON.stringify({ cards: [card] }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('is asked with them, but nothing shows them', async () => {
    const call = new CallAtTheDesk(url);
    const step = await call.ask('block_card', {}, ['471920', '2580', 'yes']);
    expect(resultOf(step)).toMatchObject({ ok: true, data: { last4: '************1111' } });
    expect(asked).toContain(`/cards/${CARD}/block`);
    for (const left of [call.steps, call.ledger.rows, call.events, call.log.text])
      expect(JSON.stringify(left)).not.toContain(CARD);
    expect(JSON.stringify(call.steps)).not.toContain('one one one one one');
  });
});

describe('redacting', () => {
  test('masks card numbers however they are written, and nothing else', () => {
    expect(maskCardNumbers('card 4111 1111 1111 1111.')).toBe('card ************1111.');
    expect(maskCardNumbers('5555-5555-5555-4444')).toBe('************4444');
    for (const text of [
      '12345',
      '2026-11-21',
      'DE89370400440532013000',
      '+4930123456789',
      '4111111111111112',
      '1204.50',
    ]) {
      expect(maskCardNumbers(text)).toBe(text);
    }
    expect(redact({ number: 4111111111111111, at: [{ text: '4111111111111111' }] })).toEqual({
      number: '************1111',
      at: [{ text: '************1111' }],
    });
  });

  test('drops what is named like a secret, but not what merely sounds like one', () => {
    expect(redact({ pin: '1', card_pin: '1', cardPin: '1', newPinCode: '1', PASSWORD: '1', cvv: 1 })).toEqual({});
    const harmless = { shipping: 1, pinned: 1, spin: 1, opinion: 1, passengers: 1 };
    expect(redact(harmless)).toEqual(harmless);
  });

  test('the declared actions take no secret as a parameter', () => {
    const file = fileURLToPath(new URL('../../src/banking/actions/demo-bank.yaml', import.meta.url));
    for (const action of loadActions(file).actions) {
      expect(Object.keys(action.parameters.properties)).not.toContain('pin');
    }
  });
});
