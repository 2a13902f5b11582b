import type { Room } from '../corpus/types.ts';

/** Where the caller is, and what the network does. */
export interface Condition {
  readonly name: string;
  readonly noise?: Room['noise'];
  readonly lossPercent?: number;
}

export const CONDITIONS: readonly Condition[] = [
  { name: 'clean' },
  { name: '3 % loss', lossPercent: 3 },
  { name: 'white 20 dB', noise: { kind: 'white', snrDb: 20 } },
  { name: 'white 15 dB, 3 % loss', noise: { kind: 'white', snrDb: 15 }, lossPercent: 3 },
  { name: 'white 10 dB', noise: { kind: 'white', snrDb: 10 } },
  { name: 'babble 20 dB', noise: { kind: 'babble', snrDb: 20 } },
  { name: 'babble 15 dB, 3 % loss', noise: { kind: 'babble', snrDb: 15 }, lossPercent: 3 },
  { name: 'babble 10 dB', noise: { kind: 'babble', snrDb: 10 } },
  { name: 'crowd 15 dB, 3 % loss', noise: { kind: 'crowd', snrDb: 15 }, lossPercent: 3 },
];
