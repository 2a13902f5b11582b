import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packLadder } from '../../src/call/record/sip-ladder.ts';
import type { PostgresStore } from '../../src/store/postgres/store.ts';
import { openTestDatabase, temporaryFolder } from './support/database.ts';
import { aLedgerRow, anUtterance, aRecording, aSession, ended, secondsIn } from './support/rows.ts';

const db = openTestDatabase();
const DAY = 86_400_000;
const AUDIO = Buffer.from('what was said, sealed or not');
const policy = (rule: object = {}, bots: [string, object][] = []) => ({ ...rule, bots: new Map(bots) });
const daysLater = (days: number) => new Date(secondsIn(60).getTime() + days * DAY + 1000);

async function bank() {
  const dataDir = temporaryFolder();
  const tenant = db.tenant();
  const companions = (path: string) => [`${path}.peaks`];
  const store = await db.store(tenant, { recordings: { dataDir, companions, find: async () => undefined } });
  const call = async (change: Parameters<typeof ended>[1] = {}) => {
    const session = ended(aSession(), change);
    const path = `recordings/${session.sessionId}.wav`;
    await mkdir(join(dataDir, 'recordings'), { recursive: true });
    await writeFile(join(dataDir, path), AUDIO);
    await writeFile(join(dataDir, `${path}.peaks`), '{}');
    store.journal.append({ kind: 'session', row: session });
    store.journal.append({ kind: 'utterance', row: anUtterance(session) });
    store.journal.append({ kind: 'recording', row: aRecording(session, { path }) });
    store.journal.append({
      kind: 'sip-ladder',
      row: await packLadder(session.sessionId, { messages: [], dropped: 0 }),
    });
    await store.stored();
    return { ...session, path, file: join(dataDir, path) };
  };
  return { store, tenant, dataDir, call };
}

const has = async (store: PostgresStore, { sessionId }: { sessionId: string }) =>
  (await store.archive.recording(sessionId)) !== undefined;

describe('a recording that is older than the policy allows', () => {
  it('goes, with what lies beside it, and the log proves it; the words stay', async () => {
    const { store, call, tenant, dataDir } = await bank();
    const old = await call();
    const young = await call({ callEndTime: daysLater(5) });
    expect(await store.retain(policy({ recordingDays: 30 }), daysLater(29))).toEqual({ recordings: 0, contents: 0 });
    expect(await store.retain(policy({ recordingDays: 30 }), daysLater(30))).toEqual({ recordings: 1, contents: 0 });
    expect([existsSync(old.file), existsSync(`${old.file}.peaks`), existsSync(young.file)]).toEqual([
      false,
      false,
      true,
    ]);
    expect([await has(store, old), await has(store, young)]).toEqual([false, true]);
    expect((await store.archive.get(old.sessionId))?.utterances).toHaveLength(1);
    const { deletions, intact } = await store.deletions(0, 10);
    expect(intact).toBe(true);
    expect(deletions).toMatchObject([
      {
        sequence: 1,
        sessionId: old.sessionId,
        what: 'recording',
        policy: 'recordings: 30 days',
        deletedAt: daysLater(30),
        details: { path: old.path, bytes: AUDIO.length, sha256: createHash('sha256').update(AUDIO).digest('hex') },
      },
    ]);
    expect((await (await db.store(db.tenant())).deletions(0, 10)).deletions).toEqual([]);
    await rm(dataDir, { recursive: true });
    expect(tenant).not.toBe('');
  });

  it('follows the rule of its own bot, and is kept for ever without one', async () => {
    const { store, call } = await bank();
    const cards = await call({ botProfile: 'cards' });
    const loans = await call({ botProfile: 'loans' });
    const other = await call();
    const rules = policy({}, [
      ['cards', { recordingDays: 7 }],
      ['loans', { recordingDays: 3650 }],
    ]);
    expect(await store.retain(rules, daysLater(100))).toEqual({ recordings: 1, contents: 0 });
    expect([await has(store, cards), await has(store, loans), await has(store, other)]).toEqual([false, true, true]);
    expect((await store.deletions(0, 10)).deletions[0]?.policy).toBe('recordings of bot cards: 7 days');
  });

  it('stays while the call is on legal hold, and goes when it is let go', async () => {
    const { store, call } = await bank();
    const held = await call();
    expect(await store.hold(held.sessionId, true, 'court')).toBe(true);
    expect((await store.archive.get(held.sessionId))?.session.legalHold).toBe(true);
    expect(await store.retain(policy({ recordingDays: 1, callDays: 1 }), daysLater(999))).toEqual({
      recordings: 0,
      contents: 0,
    });
    // What the call still writes does not lift it.
    store.journal.append({ kind: 'session', row: ended(held, { summary: 'later' }) });
    await store.stored();
    expect((await store.archive.get(held.sessionId))?.session.legalHold).toBe(true);
    await store.hold(held.sessionId, false, undefined);
    expect(await store.retain(policy({ recordingDays: 1 }), daysLater(999))).toEqual({ recordings: 1, contents: 0 });
    expect(await store.hold(randomUUID(), true, undefined)).toBe(false);
  });

  it('that has become another file goes as that; one that is being deleted becomes nothing any more', async () => {
    const { store, call, tenant, dataDir } = await bank();
    const [late, condemned] = [await call(), await call()];
    const rowOf = async (sessionId: string) => (await store.archive.recording(sessionId))!;
    const row = await rowOf(condemned.sessionId);
    const mark = { policy: 'recordings: 1 days', sha256: 'abc', bytes: 28 };
    await db.app(tenant, 'UPDATE recordings SET deleting = $2 WHERE session_id = $1', [condemned.sessionId, mark]);
    const ogg = (path: string) => ({ path: path.replace('.wav', '.ogg'), format: 'ogg' as const, bytes: 3 });
    expect(await store.recordingBecomes(row, ogg(condemned.path))).toBe(false);
    const before = await rowOf(late.sessionId);
    expect(await store.recordingBecomes(before, ogg(late.path))).toBe(true);
    expect(await rowOf(late.sessionId)).toMatchObject(ogg(late.path));
    expect(await store.recordingBecomes(before, ogg(late.path))).toBe(false);
    await writeFile(join(dataDir, ogg(late.path).path), 'ogg');
    await store.retain(policy({ recordingDays: 1 }), daysLater(9));
    const { deletions, intact } = await store.deletions(0, 10);
    expect([intact, deletions.map(({ details }) => details.path).sort()]).toEqual([
      true,
      [condemned.path, ogg(late.path).path].sort(),
    ]);
    const sha256 = createHash('sha256').update('ogg').digest('hex');
    expect(deletions.find(({ sessionId }) => sessionId === late.sessionId)?.details).toMatchObject({
      sha256,
      bytes: 3,
    });
  });

  it('of a call that goes on is not touched', async () => {
    const { store, call } = await bank();
    await call({ status: 'ACTIVE', endCause: undefined, callEndTime: undefined });
    expect(await store.retain(policy({ recordingDays: 1 }), daysLater(999))).toEqual({ recordings: 0, contents: 0 });
  });
});

describe('a crash in the middle of a deletion', () => {
  const mark = { policy: 'recordings: 30 days', sha256: 'abc', bytes: 28 };
  it.each([true, false])('is made good by the next run (file still there: %s)', async (there) => {
    const { store, call, tenant } = await bank();
    const half = await call();
    await db.app(tenant, 'UPDATE recordings SET deleting = $2 WHERE session_id = $1', [half.sessionId, mark]);
    if (!there) await rm(half.file);
    // Nobody hears it any more from the moment it was marked.
    expect(await has(store, half)).toBe(false);
    expect(await store.retain(policy({}), daysLater(31))).toEqual({ recordings: 1, contents: 0 });
    expect(existsSync(half.file)).toBe(false);
    const { deletions } = await store.deletions(0, 10);
    expect(deletions).toMatchObject([{ policy: mark.policy, details: { sha256: 'abc', bytes: 28, path: half.path } }]);
    expect(await store.retain(policy({}), daysLater(31))).toEqual({ recordings: 0, contents: 0 });
  });

  it('a file that somebody else has removed is logged without a hash', async () => {
    const { store, call } = await bank();
    await rm((await call()).file);
    await store.retain(policy({ recordingDays: 1 }), daysLater(2));
    expect((await store.deletions(0, 1)).deletions[0]?.details).toMatchObject({ sha256: null, bytes: 0 });
  });
});

describe('the contents of a call', () => {
  it('go by their own rule, the recording with them; what was done at the bank stays', async () => {
    const { store, call } = await bank();
    const old = await call({ summary: 'asked for the card' });
    await store.ledger.begin(aLedgerRow(old), 'change');
    expect(await store.retain(policy({ callDays: 10 }), daysLater(10))).toEqual({ recordings: 1, contents: 1 });
    const left = await store.archive.get(old.sessionId);
    expect(left).toMatchObject({ utterances: [], events: [], session: { callerPhone: '', status: 'COMPLETED' } });
    expect(left?.session.summary).toBeUndefined();
    expect(left?.transactions).toHaveLength(1);
    expect(await store.archive.sipLadder(old.sessionId)).toBeUndefined();
    const { deletions, intact } = await store.deletions(0, 10);
    expect(intact).toBe(true);
    expect(deletions.map(({ what, policy }) => [what, policy])).toEqual([
      ['recording', 'calls: 10 days'],
      ['contents', 'calls: 10 days'],
    ]);
    expect(deletions[1]?.details).toEqual({ utterances: 1, call_events: 0, conversation_contexts: 0, sip_ladders: 1 });
    expect(await store.retain(policy({ callDays: 10 }), daysLater(11))).toEqual({ recordings: 0, contents: 0 });
  });
});

describe('the deletion log', () => {
  it('takes nothing back: no row can be changed or removed, and one that is changed all the same is found out', async () => {
    const { store, call, tenant } = await bank();
    for (let i = 0; i < 5; i++) await call();
    await store.retain(policy({ recordingDays: 1 }), daysLater(2));
    expect((await store.deletions(3, 2)).deletions.map(({ sequence }) => sequence)).toEqual([4, 5]);
    expect((await store.deletions(3, 2)).intact).toBe(true);
    for (const sql of ["UPDATE deletions SET policy = 'x'", 'DELETE FROM deletions']) {
      await expect(db.app(tenant, sql)).rejects.toThrow('only ever added to');
    }
    // Somebody with all rights over the database.
    const forge = (sql: string) =>
      db.admin(
        `ALTER TABLE deletions DISABLE TRIGGER append_only; ${sql}; ALTER TABLE deletions ENABLE TRIGGER append_only`,
      );
    await forge(`UPDATE deletions SET policy = 'x' WHERE tenant_id = '${tenant}' AND sequence = 3`);
    expect((await store.deletions(0, 10)).intact).toBe(false);
    expect((await store.deletions(3, 10)).intact).toBe(false);
    await forge(`DELETE FROM deletions WHERE tenant_id = '${tenant}' AND sequence = 3`);
    expect((await store.deletions(0, 10)).intact).toBe(false);
    expect((await store.deletions(4, 10)).intact).toBe(true);
  });
});
