import { untilAborted } from '../../core/abortable.ts';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import { FRAME_MS, FRAME_SAMPLES, type Pcm } from '../../media/audio.ts';
import type { AsrResult, Recognizer, SpeechHints } from '../../speech/ports.ts';

/** For a sentence of 20 s; the recogniser's thread comes behind all others. */
const ANSWER_MS: Ms = 120_000;

export interface SegmentHearing {
  recognizer: Recognizer;
  hints: SpeechHints;
  call: CallId;
  signal: AbortSignal;
}

/** One segment through the recogniser. @throws Failure when it fails, has no time or does not answer */
export async function segmentWords(pcm: Pcm, { recognizer, hints, call, signal }: SegmentHearing): Promise<AsrResult> {
  signal.throwIfAborted();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  const { promise, resolve, reject } = Promise.withResolvers<AsrResult>();
  const stream = recognizer.open({
    call,
    hints,
    onResult: (result) => {
      if (result.kind !== 'final') return;
      if (result.lost) reject(new Failure('there was no time for it', { code: 'asr-busy', blame: 'us' }));
      else resolve(result);
    },
    onFailure: reject,
  });
  try {
    const segment = 1;
    const frames = Math.ceil(pcm.length / FRAME_SAMPLES);
    stream.audio.postMessage({ type: 'segment-start', segment, at: 0 });
    for (let frame = 0; frame < frames; frame++) {
      const part = pcm.slice(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);
      stream.audio.postMessage({ type: 'audio', segment, at: frame * FRAME_MS, pcm: part });
    }
    stream.audio.postMessage({ type: 'segment-end', segment, at: frames * FRAME_MS });
    const result = await untilAborted(promise, limit);
    if (result === undefined) throw new Failure('no result came', { code: 'asr-silent', blame: 'engine' });
    return result;
  } finally {
    stream.close();
  }
}
