import type { CallersOptions } from './callers.ts';
import type { FarEndKind } from './far-end.ts';
import type { BenchPeer } from './peer.ts';
import type { Measure } from './report.ts';

/** What a suite of the bench is given, and what it gives. */
export interface SuiteOptions extends CallersOptions {
  /** Calls at once, where the suite has many; undefined: its own number. */
  readonly calls: number | undefined;
  /** Spoken turns per suite that counts turns. */
  readonly turns: number;
  /** How long a suite takes that takes as long as it is told. */
  readonly minutes: number;
  /** Another SIP server to be measured beside ours, in sip, sip-traced, torture and media-500. */
  readonly peer: BenchPeer | undefined;
  /** Who calls in media-500 and flood; undefined: callers in Node. */
  readonly farEnd: FarEndKind | undefined;
  readonly progress: (text: string) => void;
  /** Conversations that broke off and other mishaps, in words. */
  readonly problems: string[];
}

interface AnySuite {
  readonly name: string;
  readonly what: string;
  /** It is cut off after this; 0: `minutes` and one. */
  readonly limitMs: number;
}

export interface ConnectorSuite extends AnySuite {
  /** Of the connector it needs. */
  readonly environment: Record<string, string>;
  /** Its heap is looked at. */
  readonly inspected?: boolean;
  run(options: SuiteOptions): Promise<Measure[]>;
}

/** Measures a part by itself. */
export interface PartSuite extends AnySuite {
  readonly environment: undefined;
  run(options: Omit<SuiteOptions, 'connector'>): Promise<Measure[]>;
}

export type Suite = ConnectorSuite | PartSuite;
