import type { BotProfile } from '../../call/bot/bot-profile.ts';
import type { HandoverPlan } from '../../call/handover/handover-plan.ts';
import type { SupervisorCodes } from '../../call/supervision/supervisor-codes.ts';
import { type Account, compileAccount } from '../outbound/account.ts';
import { compileGateway, type Gateway } from '../outbound/gateway.ts';
import { compileBot, type Known } from './bot-config.ts';
import { ConfigFiles } from './config-files.ts';
import { compileHandover, NO_HANDOVER } from './handover-config.ts';
import { type Hours, parseDays, type Span } from './hours.ts';
import { checkTwins, compileRule } from './number-rules.ts';
import { NumberPlan } from './routing.ts';
import { type AdmissionLimits, DEFAULT_ADMISSION, type HoursEntry } from './schema.ts';
import type { Environment } from './secrets.ts';
import { compileSupervisors } from './supervisors-config.ts';
import { checkEdge, compileTrunk, type Trunk } from './trunk.ts';

/** Everything sip-config/ says: checked, complete, unchanging. A reload makes a new one. */
export interface SipConfig {
  /** Twelve hex digits over the files' contents. */
  readonly version: string;
  readonly realm: string;
  readonly admission: AdmissionLimits;
  /** In the order of the files: the first that fits takes the call. */
  readonly trunks: readonly Trunk[];
  readonly bots: ReadonlyMap<string, BotProfile>;
  readonly numbers: NumberPlan;
  readonly hours: ReadonlyMap<string, Hours>;
  /** The way out, in the order of trying. None: nothing is dialled. */
  readonly gateways: readonly Gateway[];
  /** The people behind the bots; nobody where nothing is said of them. */
  readonly handover: HandoverPlan;
  /** Who may listen to calls by telephone; undefined: nobody. */
  readonly supervisors: SupervisorCodes | undefined;
  /** Where we are an extension. */
  readonly registrations: readonly Account[];
}

export interface SipConfigSource {
  /** Folder; its *.yaml files are read in the order of their names and count as one. */
  directory: string;
  env: Environment;
  known: Known;
}

/**
 * Reads the folder: from the form to the meaning, with all names resolved. Throws Failure code bad-sip-config whose message
 * has a line `file:line:column: what is wrong` for every mistake found; no value of a secret is repeated in it.
 */
export function loadSipConfig({ directory, env, known }: SipConfigSource): SipConfig {
  const files = new ConfigFiles(directory);
  const config = compile(files, env, known);
  files.check();
  return config;
}

function compile(files: ConfigFiles, env: Environment, known: Known): SipConfig {
  const secrets = { folder: files.folder, env };
  const realm = files.only('realm') ?? 'sip-voice-connector';
  const bots = files.named('bots', (entry, note) => compileBot(entry, known, note));
  const hours = files.named('hours', compileHours);
  const users = new Set<string>();
  const trunks = files.named('trunks', (entry, note) => compileTrunk(entry, { ...secrets, realm, users }, note));
  files.each('trunks', ({ behind }, note) => checkEdge(behind, trunks, note));
  const accounts = files.named('registrations', (entry, note) => {
    // Its calls are of a trunk of that name.
    if (trunks.has(entry.name)) note(['name'], `there is a trunk "${entry.name}"`);
    if (entry.bot !== undefined && !bots.has(entry.bot)) note(['bot'], `there is no bot "${entry.bot}"`);
    return compileAccount(entry, secrets, note);
  });
  const callers = new Map([...trunks, ...[...accounts.values()].map(({ name, trunk }) => [name, trunk] as const)]);
  const rules = files.each('numbers', (entry, note) => compileRule(entry, { bots, hours, trunks: callers }, note));
  const supervisors = supervisorsIn(files, callers, secrets);
  if (supervisors) rules.push(supervisors);
  checkTwins(rules);
  const gateways = files.named('gateways', (entry, note) => {
    const { registration } = entry;
    if (registration !== undefined && !accounts.has(registration)) {
      note(['registration'], `there is no registration "${registration}"`);
    }
    return compileGateway(entry, secrets, note);
  });
  const people = files.only('handover');
  const handover =
    people === undefined ? NO_HANDOVER : compileHandover(people, { hours, gateways, env }, files.noteIn('handover'));
  files.each('gateways', ({ transfers }, note) => {
    for (const [index, queue] of (transfers?.queues ?? []).entries()) {
      if (!handover.queues.has(queue)) note(['transfers', 'queues', index], `there is no queue "${queue}"`);
    }
  });
  return {
    version: files.version,
    realm,
    admission: files.only('admission') ?? DEFAULT_ADMISSION,
    trunks: [...trunks.values()],
    bots,
    hours,
    numbers: new NumberPlan(rules.map(({ rule }) => rule)),
    gateways: [...gateways.values()].toSorted((a, b) => a.priority - b.priority),
    handover,
    supervisors: supervisors?.codes,
    registrations: [...accounts.values()],
  };
}

function supervisorsIn(
  files: ConfigFiles,
  trunks: ReadonlyMap<string, Trunk>,
  secrets: { folder: string; env: Environment },
) {
  const entry = files.only('supervisors');
  if (entry === undefined) return undefined;
  const note = files.noteIn('supervisors');
  return { ...compileSupervisors(entry, { trunks, ...secrets }, note), note };
}

function compileHours({ zone, week, days }: HoursEntry): Hours {
  const open: Span[][] = [[], [], [], [], [], [], []];
  for (const [key, spans] of Object.entries(week)) for (const day of parseDays(key)!) open[day] = spans;
  return { zone, week: open, days: new Map(Object.entries(days)) };
}
