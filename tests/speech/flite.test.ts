import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import type { SpokenChunk } from '../../src/media/ports.ts';
import { decimateByTwo } from '../../src/speech/flite/decimate.ts';
import { FliteSynthesizer } from '../../src/speech/flite/flite-synthesizer.ts';
import type { FliteVoice } from '../../src/speech/flite/voices.ts';

const TEXT =
  "I'm sorry, I didn't catch that — your new credit card (ending in 4321) was shipped yesterday. It costs $1,204.50, Mr. Smith!";

async function spoken(voice: FliteSynthesizer, text: string, signal = new AbortController().signal) {
  const chunks: SpokenChunk[] = [];
  for await (const chunk of voice.speak(text, signal)) chunks.push(chunk);
  return chunks;
}

const level = (pcm: Int16Array) => Math.sqrt(pcm.reduce((sum, s) => sum + s * s, 0) / Math.max(1, pcm.length));

describe('the voice', () => {
  let voice: FliteSynthesizer;
  beforeAll(async () => {
    voice = await FliteSynthesizer.start({ workers: 2, log: silentLogger });
  });
  afterAll(() => voice.close());

  it('says every word of the text, in order, at increasing times within its chunk', async () => {
    const chunks = await spoken(voice, TEXT);
    expect(chunks.length).toBeGreaterThan(2);
    const words = chunks.flatMap((chunk) => chunk.words.map((word) => word.text));
    expect(words.join(' ')).toBe(TEXT);
    for (const { pcm, words: said } of chunks) {
      let last = 0;
      for (const { text, startMs, endMs } of said) {
        expect(startMs, text).toBeGreaterThanOrEqual(last);
        expect(endMs, text).toBeGreaterThanOrEqual(startMs);
        if (/[a-z]{3}/i.test(text)) expect(endMs - startMs, text).toBeGreaterThan(60);
        last = endMs;
      }
      expect(last).toBeLessThanOrEqual(pcm.length / 8);
    }
  });

  it('sounds from the first packet on, at the level of the telephone network, and rests only a little at the end', async () => {
    const [chunk] = await spoken(voice, 'Your card was shipped yesterday.');
    expect(level(chunk!.pcm.subarray(160, 640))).toBeGreaterThan(300);
    const body = 20 * Math.log10(level(chunk!.pcm) / 32768);
    expect(body).toBeGreaterThan(-26);
    expect(body).toBeLessThan(-14);
    const rest = chunk!.pcm.length / 8 - chunk!.words.at(-1)!.endMs;
    expect(rest).toBeGreaterThan(50);
    expect(rest).toBeLessThan(350);
    // about 150 words a minute: 8 kHz, not 16
    expect(chunk!.words.at(-1)!.endMs / 5).toBeGreaterThan(200);
    expect(chunk!.words.at(-1)!.endMs / 5).toBeLessThan(600);
  });

  it.each([
    'Thank you for calling.',
    'Card blocked.',
    'Please say your PIN.',
    'Here they are.',
    'You have ten dollars.',
  ])('is heard from the first packet on: %s', async (text) => {
    const [chunk] = await spoken(voice, text);
    const { pcm, words } = chunk!;
    const heardAt = pcm.findIndex((sample) => Math.abs(sample) > 100);
    expect(heardAt / 8).toBeLessThan(30);
    expect(words[0]!.startMs).toBeLessThanOrEqual(10);
    expect(words[0]!.endMs).toBeGreaterThan(100);
  });

  it('is that of the bot that speaks, also for what was made ready in another, and the usual one for a name unknown', async () => {
    const text = 'Welcome to the bank.';
    await voice.warm([text], { voice: 'rms' });
    const lengthIn = async (name?: string) => {
      let length = 0;
      for await (const { pcm } of voice.speak(text, new AbortController().signal, { voice: name }))
        length += pcm.length;
      return length;
    };
    const [usual, rms, unknown] = [await lengthIn(), await lengthIn('rms'), await lengthIn('nobody')];
    expect(rms).not.toBe(usual);
    expect(unknown).toBe(usual);
  });

  it('speaks several callers’ sentences at the same time, each its own', async () => {
    const texts = Array.from({ length: 12 }, (_, i) => `Caller number ${i} has ${i * 7} dollars.`);
    const all = await Promise.all(texts.map((text) => spoken(voice, text)));
    expect(all.map((chunks) => chunks.flatMap((c) => c.words.map((w) => w.text)).join(' '))).toEqual(texts);
  });

  it('ends quietly when the turn is aborted, before, during and between', async () => {
    const before = AbortSignal.abort();
    expect(await spoken(voice, TEXT, before)).toEqual([]);
    const during = new AbortController();
    const heard = spoken(voice, TEXT, during.signal);
    during.abort();
    expect(await heard).toEqual([]);
    const between = new AbortController();
    let chunks = 0;
    for await (const _ of voice.speak(TEXT, between.signal)) {
      chunks++;
      between.abort();
    }
    expect(chunks).toBe(1);
    expect(await spoken(voice, 'Still here.')).toHaveLength(1);
  });

  it('gives a warmed prompt at once, each time in a buffer of its own', async () => {
    const prompt = 'Welcome to the bank. How may I help you?';
    await voice.warm([prompt, prompt, '']);
    const first = await spoken(voice, prompt);
    structuredClone(first, { transfer: first.map(({ pcm }) => pcm.buffer as ArrayBuffer) });
    // with every thread busy for long, only the cache can answer before them
    const busy = Promise.all(Array.from({ length: 6 }, (_, i) => spoken(voice, `${TEXT} ${i}`)));
    let busyDone = false;
    void busy.then(() => {
      busyDone = true;
    });
    const second = await spoken(voice, prompt);
    expect(busyDone).toBe(false);
    expect(second.map(({ words }) => words.length)).toEqual([4, 5]);
    expect(second.every(({ pcm }) => pcm.length > 4000)).toBe(true);
    await busy;
  });

  it('waits for what is made ready for this very moment no longer than for what nobody made ready, and not when it is cut', async () => {
    let othersDone = false;
    const others = Promise.all(Array.from({ length: 12 }, (_, i) => voice.warm([`${TEXT} ${i}`], { passing: true })));
    void others.then(() => {
      othersDone = true;
    });
    const wanted = 'You have one hundred and twenty dollars.';
    const [ready, cut] = [
      voice.warm([wanted], { passing: true }),
      voice.warm(['And nothing else.'], { passing: true }),
    ];
    const gone = new AbortController();
    const unheard = spoken(voice, 'And nothing else.', gone.signal);
    gone.abort();
    expect(await unheard).toEqual([]);
    expect(await spoken(voice, wanted)).toHaveLength(1);
    expect(othersDone).toBe(false);
    await Promise.all([others, ready, cut]);
  });

  it('speaks slower for the caller who asked for it, also prompts that are kept for others at the usual pace', async () => {
    const prompt = 'Please stay on the line.';
    await voice.warm([prompt]);
    const never = new AbortController().signal;
    const lengthAt = async (rate: number) => {
      const chunks = await Array.fromAsync(voice.speak(prompt, never, { rate }));
      return chunks.reduce((samples, { pcm }) => samples + pcm.length, 0);
    };
    const usual = await lengthAt(1);
    expect((await lengthAt(0.8)) / usual).toBeCloseTo(1.25, 1);
    expect((await lengthAt(1.4)) / usual).toBeCloseTo(1 / 1.4, 1);
    expect(await lengthAt(1)).toBe(usual);
    await voice.warm([prompt], { rate: 0.65, passing: true });
    expect((await lengthAt(0.65)) / usual).toBeCloseTo(1 / 0.65, 1);
  });

  it('says figures in words, and tells them in the words that were written', async () => {
    const lastEnd = async (text: string) => (await spoken(voice, text)).at(-1)!.words.at(-1)!.endMs;
    const written = 'On 12/11 you paid $1,204.50 with card 4417.';
    const chunks = await spoken(voice, written);
    expect(chunks.flatMap(({ words }) => words.map(({ text }) => text)).join(' ')).toBe(written);
    const inWords =
      'On December eleventh you paid one thousand two hundred four dollars and fifty cents with card four four one seven.';
    const total = (parts: SpokenChunk[]) => parts.reduce((samples, { pcm }) => samples + pcm.length, 0);
    expect(total(chunks) / total(await spoken(voice, inWords))).toBeCloseTo(1, 1);
    expect(await lastEnd('24/7')).toBeGreaterThan(900);
  });

  it('has nothing to say for text without words', async () => {
    expect(await spoken(voice, '  ')).toEqual([]);
    const [dash] = await spoken(voice, '— …');
    expect(dash?.words.map(({ text }) => text)).toEqual(['—', '…']);
  });

  it('speaks on after a thread has died', async () => {
    voice.killWorker(0);
    voice.killWorker(1);
    const chunks = await spoken(voice, 'Nobody noticed.');
    expect(chunks.flatMap(({ words }) => words.map(({ text }) => text))).toEqual(['Nobody', 'noticed.']);
    expect((await voice.health()).ok).toBe(true);
  });
});

describe('voices and pace', () => {
  it.each(['rms', 'awb', 'kal16', 'kal'] satisfies FliteVoice[])('%s speaks at 8 kHz', async (name) => {
    const voice = await FliteSynthesizer.start({ workers: 1, voice: name, log: silentLogger });
    const [chunk] = await spoken(voice, 'Where is my new credit card?');
    await voice.close();
    expect(chunk!.pcm.length / 8000).toBeGreaterThan(1);
    expect(chunk!.pcm.length / 8000).toBeLessThan(3.5);
    expect(20 * Math.log10(level(chunk!.pcm) / 32768)).toBeGreaterThan(-27);
  });

  it('is faster or slower as told, and refuses what is no setting', async () => {
    const lengths: number[] = [];
    for (const speed of [0.8, 1.25]) {
      const voice = await FliteSynthesizer.start({ workers: 1, voice: 'kal', speed, log: silentLogger });
      lengths.push((await spoken(voice, 'Where is my new credit card?'))[0]!.pcm.length);
      await voice.close();
    }
    expect(lengths[0]! / lengths[1]!).toBeCloseTo(1.25 / 0.8, 0);
    await expect(FliteSynthesizer.start({ speed: 9, log: silentLogger })).rejects.toMatchObject({
      code: 'tts-setting',
    });
    await expect(FliteSynthesizer.start({ voice: 'nobody' as FliteVoice, log: silentLogger })).rejects.toMatchObject({
      code: 'tts-setting',
    });
  });
});

describe('from 16 to 8 kHz', () => {
  const tone = (hertz: number) =>
    Int16Array.from({ length: 16_000 }, (_, i) => 10_000 * Math.sin((2 * Math.PI * hertz * i) / 16_000));
  const gainAt = (hertz: number) => {
    const out = decimateByTwo(tone(hertz)).subarray(200, 7800);
    return 20 * Math.log10(level(out) / level(tone(hertz)) + 1e-9);
  };

  it('keeps the telephone band and lets nothing fold back into it', () => {
    for (const hertz of [200, 1000, 3000, 3400]) expect(Math.abs(gainAt(hertz)), `${hertz}`).toBeLessThan(0.5);
    for (const hertz of [4100, 5000, 6000, 7500]) expect(gainAt(hertz), `${hertz}`).toBeLessThan(-55);
  });

  it('adds no delay', () => {
    const click = new Int16Array(400);
    click[200] = 20_000;
    const out = decimateByTwo(click);
    expect(out.indexOf(Math.max(...out))).toBe(100);
  });
});
