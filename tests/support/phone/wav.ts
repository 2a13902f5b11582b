/** RIFF WAVE, 16-bit PCM: what the phone reads and writes. */
export interface Wav {
  readonly sampleRate: number;
  readonly channels: number;
  /** Interleaved. */
  readonly pcm: Int16Array;
}

/** Throws on anything but 16-bit PCM. A size field larger than the file (a stream of unknown length) is tolerated. */
export function readWav(data: Buffer): Wav {
  if (data.toString('latin1', 0, 4) !== 'RIFF' || data.toString('latin1', 8, 12) !== 'WAVE')
    throw new Error('not a WAV file');
  let format: { sampleRate: number; channels: number } | undefined;
  for (let at = 12; at + 8 <= data.length; ) {
    const id = data.toString('latin1', at, at + 4);
    const size = Math.min(data.readUInt32LE(at + 4), data.length - at - 8);
    const body = data.subarray(at + 8, at + 8 + size);
    if (id === 'fmt ') {
      const tag = body.readUInt16LE(0);
      if ((tag !== 1 && tag !== 0xfffe) || body.readUInt16LE(14) !== 16) throw new Error('WAV must be 16-bit PCM');
      format = { channels: body.readUInt16LE(2), sampleRate: body.readUInt32LE(4) };
    } else if (id === 'data') {
      if (!format) break;
      const samples = new Int16Array(size >> 1);
      for (let i = 0; i < samples.length; i++) samples[i] = body.readInt16LE(2 * i);
      return { ...format, pcm: samples };
    }
    at += 8 + size + (size & 1);
  }
  throw new Error('WAV without audio');
}

export function writeWav(wav: Wav): Buffer {
  const bytes = wav.pcm.length * 2;
  const out = Buffer.alloc(44 + bytes);
  out.write('RIFF', 0, 'latin1');
  out.writeUInt32LE(36 + bytes, 4);
  out.write('WAVEfmt ', 8, 'latin1');
  out.writeUInt32LE(16, 16);
  out.writeUInt16LE(1, 20);
  out.writeUInt16LE(wav.channels, 22);
  out.writeUInt32LE(wav.sampleRate, 24);
  out.writeUInt32LE(wav.sampleRate * wav.channels * 2, 28);
  out.writeUInt16LE(wav.channels * 2, 32);
  out.writeUInt16LE(16, 34);
  out.write('data', 36, 'latin1');
  out.writeUInt32LE(bytes, 40);
  for (let i = 0; i < wav.pcm.length; i++) out.writeInt16LE(wav.pcm[i]!, 44 + 2 * i);
  return out;
}

/** One channel of it: 0 is the left. */
export function channelOf({ pcm, channels }: Wav, n: number): Int16Array {
  return Int16Array.from({ length: Math.floor(pcm.length / channels) }, (_, i) => pcm[i * channels + n]!);
}

/** Mono 8 kHz from a WAV at 8 or 16 kHz, mono or the left channel. Throws on other rates. */
export function telephoneAudio(wav: Wav): Int16Array {
  const mono = wav.channels === 1 ? wav.pcm : channelOf(wav, 0);
  if (wav.sampleRate === 8000) return mono;
  if (wav.sampleRate === 16000) return halveRate(mono);
  throw new Error(`WAV must be 8 or 16 kHz, not ${wav.sampleRate}`);
}

const HALF_TAPS = 31;
/** Windowed-sinc low-pass at 3.6 kHz for 16 kHz input (Hamming), to keep what cannot be carried from folding back. */
const LOW_PASS = (() => {
  const cutoff = 3600 / 16000;
  const taps = Float64Array.from({ length: 2 * HALF_TAPS + 1 }, (_, i) => {
    const n = i - HALF_TAPS;
    const sinc = n === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * n) / (Math.PI * n);
    return sinc * (0.54 + 0.46 * Math.cos((Math.PI * n) / HALF_TAPS));
  });
  const sum = taps.reduce((a, b) => a + b, 0);
  return taps.map((tap) => tap / sum);
})();

function halveRate(pcm: Int16Array): Int16Array {
  const out = new Int16Array(pcm.length >> 1);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = -HALF_TAPS; k <= HALF_TAPS; k++) sum += (pcm[2 * i + k] ?? 0) * LOW_PASS[k + HALF_TAPS]!;
    out[i] = Math.max(-32768, Math.min(32767, Math.round(sum)));
  }
  return out;
}

/** What espeak-ng writes, on the telephone. */
export function espeakAudio(file: Buffer): Int16Array {
  const wav = readWav(file);
  return telephoneAudio({ ...wav, sampleRate: 16_000, pcm: resampled(wav.pcm, wav.sampleRate, 16_000) });
}

/**
 * Linear interpolation, which is enough here: espeak's 22,050 Hz has little above 8 kHz, and the telephone keeps nothing
 * above 3.6.
 */
export function resampled(pcm: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return pcm;
  return Int16Array.from({ length: Math.floor((pcm.length * to) / from) }, (_, i) => {
    const at = (i * from) / to;
    const left = Math.floor(at);
    const part = at - left;
    return Math.round((pcm[left] ?? 0) * (1 - part) + (pcm[left + 1] ?? pcm[left] ?? 0) * part);
  });
}
