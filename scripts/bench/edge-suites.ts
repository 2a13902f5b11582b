import { behindOpensips } from './behind-opensips.ts';
import { flood } from './flood-suite.ts';
import { churn, media500 } from './media-suites.ts';
import { mediaVad } from './media-vad.ts';
import { sipSuite } from './sip-suite.ts';
import { startSuite } from './start-suite.ts';
import type { Suite } from './suite.ts';
import { tortureSuite } from './torture-suite.ts';
import { whole } from './whole-suite.ts';

/** The SIP and RTP edge: many calls, cheap callers, nobody speaks. */
export const EDGE_SUITES: readonly Suite[] = [
  sipSuite('sip'),
  sipSuite('sip-traced', 'traced'),
  media500,
  mediaVad,
  flood,
  churn,
  startSuite,
  whole,
  behindOpensips,
  tortureSuite,
];
