/** Constants of ITU-T G.722 (09/2012), tables 7 to 20, of the lower sub-band at 64 kbit/s. */

/** Decision levels of the 60-level quantizer. */
export const Q6 = Int16Array.of(
  ...[0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714],
  ...[786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919, 0, 0],
);
/** Codes of negative and of positive differences by decision interval. */
export const ILN = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 || i === 31 ? 0 : i < 3 ? 64 - i : 34 - i));
export const ILP = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 || i === 31 ? 0 : 62 - i));

const POSITIVE_6 = [
  ...[24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728],
];
/** Output of the inverse 60-level quantizer by code. */
export const QM6 = Int16Array.of(
  ...[-136, -136, -136, -136],
  ...POSITIVE_6.map((level) => -level),
  ...POSITIVE_6,
  ...[432, 136, -432, -136],
);

const POSITIVE_4 = [20456, 12896, 8968, 6288, 4240, 2584, 1200];
/** Output of the inverse 15-level quantizer, which drives the adaptation, by the code's four upper bits. */
export const QM4 = Int16Array.of(0, ...POSITIVE_4.map((level) => -level), ...POSITIVE_4, 0);

/** Steps of the logarithmic scale factor by the code's four upper bits (tables WL and RL42 in one). */
const WL = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const RL42 = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
export const SCALE_STEP = Int16Array.from(RL42, (row) => WL[row]!);

/** 2 to the power of 1/32, 32 times: the mantissas of the scale factor, 2048 to 4008. */
export const ILB = Int16Array.of(
  ...[2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834],
  ...[2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008],
);
