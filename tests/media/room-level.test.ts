import { describe, expect, test } from 'vitest';
import { RoomLevel } from '../../src/media/voice-activity/room-level.ts';

const WINDOW = 32;

/** Levels of speech: syllables and gaps, 14 dB apart and a little of everything between. */
const talk = (db: number, i: number) => db + [0, -2, -5, -1, -9, -14, -3, 0][i % 8]!;
/** Many voices at once swing less. */
const babble = (db: number, i: number) => db + [0, -3, 2, -1, 3, -4, 1, -2][(i * 5) % 8]!;

function listen(
  room: RoomLevel,
  seconds: number,
  level: (i: number) => number,
  speech: (i: number) => boolean,
): number[] {
  return Array.from({ length: Math.round((seconds * 1000) / WINDOW) }, (_, i) =>
    room.push(level(i), speech(i), WINDOW),
  );
}

describe('a caller in a room', () => {
  test('full of voices is told from them once they have spoken: they stand out of it', () => {
    const room = new RoomLevel();
    const others = (i: number) => babble(-36, i);
    const voices = () => true;
    listen(room, 3, others, voices);
    listen(room, 2, (i) => Math.max(talk(-20, i), others(i)), voices).forEach((least, i) => {
      if (i % 8 < 4) expect(talk(-20, i)).toBeGreaterThan(least);
    });
    const after = listen(room, 4, others, voices).slice(30);
    after.forEach((least, i) => {
      expect(others(i)).toBeLessThan(least);
    });
    listen(room, 2, (i) => Math.max(talk(-20, i), others(i)), voices).forEach((least, i) => {
      if (i % 8 < 4) expect(talk(-20, i)).toBeGreaterThan(least);
    });
  });

  test('full of voices that has not spoken yet is not taken to, nor when the others swing as four talkers do', () => {
    const room = new RoomLevel();
    // a pause of all of them now and then
    const others = (i: number) => (i % 40 < 2 ? -46 : babble(-36, i) + Math.sin(i / 7));
    const least = listen(room, 20, others, (i) => i % 40 >= 2);
    expect(least.filter((db, i) => i > 60 && others(i) > db)).toEqual([]);
    // and then they do
    const caller = (i: number) => Math.max(talk(-21, i), others(i));
    listen(room, 2, caller, () => true).forEach((db, i) => {
      if (i % 8 < 2) expect(caller(i)).toBeGreaterThan(db);
    });
  });

  test('full of voices is told from them in the first second of a call, wherever in their talk it begins', () => {
    for (let start = 0; start < 40; start++) {
      const room = new RoomLevel();
      // the VAD is sure of them from its third window on
      const others = (i: number) => babble(-36, i + start);
      const first = listen(room, 1, others, (i) => i > 1);
      expect(first.filter((least, i) => i > 2 && others(i) > least)).toEqual([]);
      const caller = (i: number) => Math.max(talk(-20, i), others(i));
      listen(room, 1, caller, () => true).forEach((least, i) => {
        if (i % 8 < 4) expect(caller(i)).toBeGreaterThan(least);
      });
    }
  });

  test('may say hello a quarter of a second into the call, in quiet, in noise and among voices', () => {
    for (const noise of [-70, -36]) {
      for (const voices of [false, true]) {
        const room = new RoomLevel();
        listen(
          room,
          0.25,
          () => noise,
          () => voices,
        );
        const caller = (i: number) => Math.max(talk(-20, i), noise);
        listen(room, 1, caller, (i) => voices || caller(i) > noise).forEach((least, i) => {
          if (i % 8 < 4) expect(caller(i)).toBeGreaterThan(least);
        });
      }
    }
  });

  test('who speaks already when the line opens is heard, when they are as loud as callers are', () => {
    const room = new RoomLevel();
    listen(
      room,
      2,
      (i) => talk(-18, i),
      () => true,
    ).forEach((least, i) => {
      if (i % 8 < 4) expect(talk(-18, i)).toBeGreaterThan(least);
    });
  });

  test('full of voices presses keys, or shuts the microphone for a moment: while nothing is sent, the room stays what it is', () => {
    const others = (i: number) => babble(-36, i);
    // four keys: 100 ms each without audio, 80 ms apart; or two seconds of nothing
    const pressing = (i: number) => (i < 24 && i % 6 < 3 ? -100 : others(i));
    const shut = (i: number) => (i < 62 ? -100 : others(i));
    for (const line of [pressing, shut]) {
      const room = new RoomLevel();
      listen(room, 3, others, () => true);
      listen(
        room,
        1,
        (i) => Math.max(talk(-20, i), others(i)),
        () => true,
      );
      listen(room, 2, others, () => true);
      const least = listen(room, 6, line, (i) => line(i) > -100);
      expect(least.filter((db, i) => line(i) > db)).toEqual([]);
    }
  });

  test('full of voices goes where it is quiet, and may speak softly there', () => {
    const room = new RoomLevel();
    listen(
      room,
      3,
      (i) => babble(-36, i),
      () => true,
    );
    listen(
      room,
      12,
      () => -100,
      () => false,
    );
    listen(
      room,
      4,
      (i) => talk(-36, i),
      () => true,
    ).forEach((least, i) => {
      if (i % 8 < 4) expect(talk(-36, i)).toBeGreaterThan(least);
    });
  });

  test('that is quiet may speak as softly as they like', () => {
    const room = new RoomLevel();
    listen(
      room,
      3,
      () => -75,
      () => false,
    );
    listen(
      room,
      3,
      (i) => talk(-22, i),
      () => true,
    );
    listen(
      room,
      1,
      () => -75,
      () => false,
    );
    listen(
      room,
      5,
      (i) => talk(-45, i),
      () => true,
    ).forEach((least, i) => {
      expect(talk(-45, i)).toBeGreaterThan(least);
    });
  });

  test('with noise that is no speech is heard in it as before', () => {
    const room = new RoomLevel();
    const noise = -36;
    const heard = (i: number) => Math.max(talk(-22, i), noise);
    listen(
      room,
      4,
      () => noise,
      () => false,
    );
    listen(room, 4, heard, (i) => heard(i) > noise).forEach((least, i) => {
      if (i % 8 < 4) expect(heard(i)).toBeGreaterThan(least);
    });
  });

  test('who talks for half a minute without a breath is not taken for the room', () => {
    const room = new RoomLevel();
    listen(
      room,
      1,
      () => -70,
      () => false,
    );
    listen(
      room,
      30,
      (i) => talk(-20, i),
      () => true,
    ).forEach((least, i) => {
      if (i % 8 < 4) expect(talk(-20, i)).toBeGreaterThan(least);
    });
  });
});
