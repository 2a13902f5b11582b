import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SessionRecord } from '../../src/call/record/records.ts';
import { packLadder, unpackLadder } from '../../src/call/record/sip-ladder.ts';
import type { PostgresStore } from '../../src/store/postgres/store.ts';
import { openTestDatabase } from './support/database.ts';
import { aLedgerRow, anEvent, anUtterance, aRecording, aSession, ended, secondsIn } from './support/rows.ts';

const db = openTestDatabase();

/** Stores calls, one per set of changes, a minute apart, with what was said in them. */
async function calls(store: PostgresStore, ...changes: (Partial<SessionRecord> & { said?: string[] })[]) {
  const sessions = changes.map(({ said = [], ...change }, n) => {
    const session = ended(aSession({ callStartTime: secondsIn(n * 60) }), change);
    store.journal.append({ kind: 'session', row: session });
    for (const [i, text] of said.entries()) {
      store.journal.append({ kind: 'utterance', row: anUtterance(session, { text, sequence: i + 1 }) });
    }
    return session;
  });
  await store.stored();
  return sessions;
}

const ids = (page: { calls: SessionRecord[] }) => page.calls.map(({ sessionId }) => sessionId);

describe('the SIP messages of a call', () => {
  it('come back as they were kept, to the byte, and for the tenant alone', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    const [call] = await calls(store, {});
    const place = { address: '192.0.2.7', port: 5060 };
    const message = {
      at: 1_764_000_000_123_456,
      direction: 'in' as const,
      protocol: 'udp' as const,
      local: place,
      remote: place,
      text: Buffer.from('INVITE "Zoë" \0 \ud800', 'utf8').toString('latin1'),
    };
    const trace = { messages: Array(40).fill(message), dropped: 2 };
    store.journal.append({ kind: 'sip-ladder', row: await packLadder(call!.sessionId, trace) });
    await store.stored();
    const kept = await store.archive.sipLadder(call!.sessionId);
    expect(await unpackLadder(kept!)).toEqual(trace);
    expect(kept!.packed.length).toBeLessThan(1000);
    const other = await db.store(db.tenant());
    expect(await other.archive.sipLadder(call!.sessionId)).toBeUndefined();
    expect(await store.archive.sipLadder(randomUUID())).toBeUndefined();
  });
});

describe('the rows of calls', () => {
  it('are seen by whoever reads the call right behind them, though they wait for others', async () => {
    const store = await db.store(db.tenant());
    const [call] = await calls(store, {});
    for (let sequence = 1; sequence <= 20; sequence++) {
      store.journal.append({ kind: 'utterance', row: anUtterance(call!, { sequence }) });
      expect((await store.archive.get(call!.sessionId))!.utterances).toHaveLength(sequence);
    }
    store.journal.append({ kind: 'recording', row: aRecording(call!) });
    expect(await store.archive.recording(call!.sessionId)).toBeDefined();
  });

  it('are written many together while calls go on, and at once when somebody waits for them', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    const [call] = await calls(store, {});
    const transactions = async () => {
      const sql = 'SELECT count(DISTINCT xmin::text) AS together, count(*) AS rows FROM call_events';
      const [row] = await db.app<{ together: string; rows: string }>(tenant, sql);
      return [Number(row!.rows), Number(row!.together)];
    };
    for (let i = 0; i < 40; i++) {
      store.journal.append({ kind: 'event', row: anEvent(call!, { type: `moment-${i}` }) });
      await sleep(2);
    }
    await store.stored();
    const [rows, together] = await transactions();
    expect(rows).toBe(40);
    expect(together).toBeLessThan(20);
    for (let i = 0; i < 5; i++) {
      store.journal.append({ kind: 'event', row: anEvent(call!, { type: `awaited-${i}` }) });
      await store.stored();
    }
    expect(await transactions()).toEqual([45, together! + 5]);
  });
});

describe('the list of calls', () => {
  it('is newest first, with counts', async () => {
    const tenant = db.tenant();
    const store = await db.store(tenant);
    const [first, second] = await calls(
      store,
      { said: ['hello', 'goodbye'] },
      { status: 'ACTIVE', endCause: undefined, callEndTime: undefined },
    );
    store.journal.append({ kind: 'recording', row: aRecording(first!) });
    await store.ledger.begin(aLedgerRow(first!), 'change');
    await store.stored();
    const page = await store.archive.list({ limit: 10 });
    expect(page).toEqual({
      calls: [
        { ...second, utteranceCount: 0, transactionCount: 0, hasRecording: false },
        { ...first, utteranceCount: 2, transactionCount: 1, hasRecording: true },
      ],
      nextCursor: undefined,
    });
    expect(ids(await store.archive.list({ limit: 10, status: 'ACTIVE' }))).toEqual([second!.sessionId]);
  });

  it('narrows by time: from the first moment on, before the last', async () => {
    const store = await db.store(db.tenant());
    const [, second, third] = await calls(store, {}, {}, {}, {});
    const page = await store.archive.list({ limit: 10, from: second!.callStartTime, to: secondsIn(180) });
    expect(ids(page)).toEqual([third!.sessionId, second!.sessionId]);
  });

  it('finds callers by the end of their number or by their name', async () => {
    const store = await db.store(db.tenant());
    const [one, two, three] = await calls(
      store,
      { callerPhone: '+15550100' },
      { callerPhone: '+4915550100', callerIdentity: 'sip:+4915550100@b' },
      { callerPhone: '', callerIdentity: 'sip:a_lice@home.example' },
    );
    const found = async (caller: string) => new Set(ids(await store.archive.list({ limit: 10, caller })));
    const both = new Set([one!.sessionId, two!.sessionId]);
    expect(await found('0100')).toEqual(both);
    expect(await found('550100')).toEqual(both);
    expect(await found('00')).toEqual(both);
    expect(await found('50100')).toEqual(both);
    expect(await found('+49 1555 0100')).toEqual(new Set([two!.sessionId]));
    expect(await found('A_LICE')).toEqual(new Set([three!.sessionId]));
    expect(await found('aXlice')).toEqual(new Set());
    expect(await found('0199')).toEqual(new Set());
  });

  it('finds whom we called by their number, and not by ours', async () => {
    const store = await db.store(db.tenant());
    const [made, , elsewhere] = await calls(
      store,
      { direction: 'OUTBOUND', callerPhone: '+15559999', calledNumber: '+4930120100', said: ['your card is here'] },
      { callerPhone: '+15559999' },
      { direction: 'OUTBOUND', callerPhone: '+15559999', calledNumber: 'sip:anna@home.example' },
    );
    const found = async (query: { caller: string; text?: string }) =>
      ids(await store.archive.list({ limit: 10, ...query }));
    for (const caller of ['0100', '120100', '+49 30 120100', '20100'])
      expect(await found({ caller }), caller).toEqual([made!.sessionId]);
    expect((await found({ caller: '9999' })).length).toBe(1);
    expect(await found({ caller: 'anna' })).toEqual([elsewhere!.sessionId]);
    expect(await found({ caller: '20100', text: 'card' })).toEqual([made!.sessionId]);
    expect(await found({ caller: '59999', text: 'card' })).toEqual([]);
  });

  it('finds calls in which all the words were said, by their beginnings, anywhere in the call', async () => {
    const store = await db.store(db.tenant());
    const [card, block] = await calls(
      store,
      { said: ['where is my new card', "it was shipped yesterday, tracking number 12345, it's on its way"] },
      { said: ['block my card please', 'the card is blocked'] },
    );
    const found = async (text: string) => ids(await store.archive.list({ limit: 10, text }));
    expect(await found('card')).toEqual([block!.sessionId, card!.sessionId]);
    expect(await found('CARD ship')).toEqual([card!.sessionId]);
    expect(await found('12345')).toEqual([card!.sessionId]);
    expect(await found('"new card"')).toEqual([card!.sessionId]);
    expect(await found('"card new"')).toEqual([]);
    expect(await found('card unicorn')).toEqual([]);
    expect(await found("it's")).toEqual([card!.sessionId]);
    expect(await found('   ')).toEqual([block!.sessionId, card!.sessionId]);
    expect(await found('!?')).toEqual([]);
    expect(ids(await store.archive.list({ limit: 10, text: 'card', status: 'FAILED' }))).toEqual([]);
    expect(
      ids(await store.archive.list({ limit: 10, text: 'card', caller: '0100', from: block!.callStartTime })),
    ).toEqual([block!.sessionId]);
  });

  it('takes any text for a search without failing', async () => {
    const store = await db.store(db.tenant());
    const hostile = [
      "'",
      "a'b",
      '\\',
      "a\\'b:*",
      'a & | ! b',
      '<->',
      ':*',
      '"',
      '"a',
      '%',
      '\0',
      '\ud800',
      "');DROP TABLE utterances;--",
      'é'.repeat(2000),
    ];
    for (const text of hostile) {
      await expect(store.archive.list({ limit: 1, text }), text).resolves.toBeDefined();
      await expect(store.archive.list({ limit: 1, caller: text }), text).resolves.toBeDefined();
    }
  });

  it('gives every call once, page by page, while new calls come in', async () => {
    const store = await db.store(db.tenant());
    // Several start in the same millisecond: the id decides.
    const old = await calls(
      store,
      ...Array.from({ length: 25 }, (_, n) => ({ callStartTime: secondsIn(Math.floor(n / 4)), said: ['card'] })),
    );
    for (const text of [undefined, 'card']) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.archive.list({ limit: 7, cursor, text });
        seen.push(...ids(page));
        cursor = page.nextCursor;
        await calls(store, { callStartTime: secondsIn(1000 + seen.length), said: ['card'] });
      } while (cursor !== undefined);
      const mine = new Set(old.map(({ sessionId }) => sessionId));
      expect(seen.filter((id) => mine.has(id))).toHaveLength(25);
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it('refuses a cursor that is not ours', async () => {
    const store = await db.store(db.tenant());
    for (const cursor of ['x', '', 'MTIz', Buffer.from("1.'; DROP").toString('base64url')]) {
      await expect(store.archive.list({ limit: 1, cursor })).rejects.toMatchObject({
        code: 'bad-cursor',
        sipStatus: 400,
      });
    }
  });
});

describe('a call', () => {
  it('that is not there is not found', async () => {
    const store = await db.store(db.tenant());
    expect(await store.archive.get(randomUUID())).toBeUndefined();
    expect(await store.archive.get('not-an-id')).toBeUndefined();
    expect(await store.archive.recording(randomUUID())).toBeUndefined();
  });
});

describe('ten thousand calls', () => {
  const tenant = 'ten-thousand';
  let store: PostgresStore;

  beforeAll(async () => {
    store = await db.store(tenant);
    // As the journal would have written them, in one go: a minute apart, six sentences each, one unicorn in all.
    await db.admin(
      `WITH calls AS (
         INSERT INTO call_sessions (session_id, tenant_id, caller_phone, caller_identity, called_number, direction,
           call_start_time, call_end_time, sip_call_id, correlation_id, status, end_cause, bot_profile,
           bot_profile_version, instance_id, run_id)
         SELECT gen_random_uuid(), $1, '+1555' || lpad((n * 7)::text, 7, '0'), 'sip:x', 'bank', 'INBOUND',
           now() - n * interval '1 minute', now() - n * interval '1 minute' + interval '50 s', 'c', n::text, 'COMPLETED',
           'caller-hangup', 'bank', '1', 'i', gen_random_uuid()
         FROM generate_series(1, 10000) AS n RETURNING session_id, correlation_id::int AS n, call_start_time)
       INSERT INTO utterances (utterance_id, tenant_id, session_id, sequence, speaker, generated, heard, started_at, source)
       SELECT gen_random_uuid(), $1, session_id, i, 'caller',
         CASE WHEN n = 77 AND i = 3 THEN 'a unicorn' WHEN n % 97 = 0 AND i = 2 THEN 'a walrus' ELSE (SELECT string_agg(words[1 + (n * 7 + i * 3 + w * w) % 18], ' ')
           FROM generate_series(1, 8) AS w) END, '', call_start_time, 'speech'
       FROM calls, generate_series(1, 6) AS i, (SELECT string_to_array('card balance account block new delivery please '
         || 'when where is my the agent yes no thank you now', ' ') AS words) AS vocabulary`,
      [tenant],
    );
    await db.admin('VACUUM ANALYZE');
  });

  it('are listed and searched quickly', async () => {
    const queries = {
      'first page': {},
      'by status': { status: 'COMPLETED' as const },
      'by last four digits': { caller: '0777' },
      'by name (scan)': { caller: 'nobody' },
      'rare word': { text: 'unicorn' },
      'absent word': { text: 'zebra' },
      'common word': { text: 'card' },
      'common and rare word': { text: 'card unicorn' },
      'prefix of a common word': { text: 'bal' },
    };
    const figures: string[] = [];
    for (const [name, query] of Object.entries(queries)) {
      const times: number[] = [];
      let count = 0;
      for (let n = 0; n < 15; n++) {
        const began = performance.now();
        count = (await store.archive.list({ limit: 50, ...query })).calls.length;
        times.push(performance.now() - began);
      }
      times.sort((a, b) => a - b);
      figures.push(`${name}: p50 ${times[7]!.toFixed(1)} ms, worst ${times[14]!.toFixed(1)} ms, ${count} calls`);
    }
    process.stdout.write(`10,000 calls, 60,000 utterances, pages of 50\n  ${figures.join('\n  ')}\n`);
    expect((await store.archive.list({ limit: 50, text: 'unicorn' })).calls).toHaveLength(1);
    expect((await store.archive.list({ limit: 50 })).nextCursor).toBeDefined();
  });

  it('with a rarer word are all found, page by page', async () => {
    for (const text of ['walrus', 'walrus a']) {
      const pages: number[] = [];
      const seen: SessionRecord[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.archive.list({ limit: 40, text, cursor });
        pages.push(page.calls.length);
        seen.push(...page.calls);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(pages).toEqual([40, 40, 23]);
      expect(new Set(seen.map(({ sessionId }) => sessionId)).size).toBe(103);
      expect(seen).toEqual(seen.toSorted((a, b) => b.callStartTime.getTime() - a.callStartTime.getTime()));
    }
  });
});
