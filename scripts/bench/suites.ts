import { amd } from './amd/suite.ts';
import { CALL_SUITES } from './call-suites.ts';
import { EDGE_SUITES } from './edge-suites.ts';
import { outbound } from './outbound.ts';
import { PARTY_SUITES } from './party-suites.ts';
import { sipFuzz, sipParser } from './sip-parser.ts';
import { srtpSuite } from './srtp-suite.ts';
import type { Suite } from './suite.ts';
import { transfers } from './transfers.ts';

/** All there is to measure, in the order in which `npm run bench` does. */
export const SUITES: readonly Suite[] = [
  ...CALL_SUITES,
  sipParser,
  sipFuzz,
  outbound,
  amd,
  transfers,
  ...EDGE_SUITES,
  ...PARTY_SUITES,
  srtpSuite,
];
