import type { Codec, CodecName } from './codec.ts';
import { PCMA, PCMU } from './g711.ts';
import { G722 } from './g722.ts';
import { OPUS } from './opus.ts';

const CODECS: Readonly<Record<CodecName, Codec>> = { PCMU, PCMA, G722, opus: OPUS };

export function codecNamed(name: CodecName): Codec {
  return CODECS[name];
}
