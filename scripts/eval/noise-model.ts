import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { modelFile, PARAMETERS } from '../../src/speech/soundswallower/acoustic-model.ts';
import { Studio } from './audio/studio.ts';
import { FrontEnd, framesOf, MODEL_BASE, meanOf } from './noise-model/features.ts';
import { pairs } from './noise-model/speech.ts';
import { Statistics } from './noise-model/statistics.ts';

/**
 * Makes src/speech/soundswallower/steady-noise.bin.br, the weights of the acoustic model for noisy lines, from scratch: a
 * few minutes. Prints the average cepstra as well, which decoder.ts begins a call with.
 *
 *     node_modules/.bin/node scripts/eval/noise-model.ts [FILE]      elsewhere instead
 */
const OUT =
  process.argv[2] ?? fileURLToPath(new URL('../../src/speech/soundswallower/steady-noise.bin.br', import.meta.url));

async function parameters(name: string): Promise<Float32Array> {
  const { bytes, at } = modelFile(await readFile(`${MODEL_BASE}en-us/${name}`));
  return Float32Array.from({ length: PARAMETERS }, (_, i) => bytes.readFloatLE(at + 4 * i));
}

const frontEnd = await FrontEnd.create();
const statistics = new Statistics(await parameters('means'), await parameters('variances'));
const studio = new Studio('data/eval-cache');
const averages = { clean: [] as Float64Array[], noisy: [] as Float64Array[] };
for await (const pair of pairs(studio)) {
  const [clean, noisy] = [pair.clean, pair.noisy].map((pcm) => frontEnd.cepstra(pcm)) as [
    Float64Array[],
    Float64Array[],
  ];
  averages.clean.push(meanOf(clean));
  averages.noisy.push(meanOf(noisy));
  const noisyFrames = framesOf(noisy);
  for (const [t, frame] of framesOf(clean).slice(0, noisyFrames.length).entries())
    statistics.add(frame, noisyFrames[t]!);
}
await studio.close();
const packed = brotliCompressSync(statistics.weights());
await writeFile(OUT, packed);
process.stdout.write(`${OUT}: ${packed.length} bytes\n`);
for (const [line, means] of Object.entries(averages)) {
  process.stdout.write(`${line}: ${Array.from(meanOf(means), (value) => value.toFixed(1)).join(', ')}\n`);
}
