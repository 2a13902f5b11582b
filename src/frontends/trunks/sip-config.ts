import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BANK_PROFILE, type BotProfile } from '../../call/bot/bot-profile.ts';
import type { HandoverPlan } from '../../call/handover/handover-plan.ts';
import type { SupervisorCodes } from '../../call/supervision/supervisor-codes.ts';
import { AddressSet, type Block } from '../../core/address-set.ts';
import { checkedYaml, type YamlPath } from '../../core/checked-yaml.ts';
import { asFailure, Failure } from '../../core/errors.ts';
import type { DigestAlgorithm } from '../../sip/auth/digest.ts';
import type { DigestSecrets } from '../../sip/auth/digest-guard.ts';
import { type Account, compileAccount } from '../outbound/account.ts';
import { compileGateway, type Gateway } from '../outbound/gateway.ts';
import { compileHandover, type HandoverNames, NO_HANDOVER } from './handover-config.ts';
import { type Hours, parseDays, type Span } from './hours.ts';
import { NumberPlan, type NumberRule } from './routing.ts';
import {
  type AdmissionLimits,
  type BotEntry,
  DEFAULT_ADMISSION,
  fileSchema,
  type HoursEntry,
  type RuleEntry,
  type SipConfigFile,
  type TrunkEntry,
} from './schema.ts';
import { digestUsers, type Environment } from './secrets.ts';
import { compileSupervisors } from './supervisors-config.ts';
import type { TrunkMedia } from './trunk-media.ts';

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

/** A peer, or a kind of peers, that may call. All conditions that are there must hold. */
export interface Trunk {
  readonly name: string;
  /** Undefined: from anywhere. */
  readonly from: AddressSet | undefined;
  readonly digest: { users: ReadonlyMap<string, DigestSecrets>; algorithms: readonly DigestAlgorithm[] } | undefined;
  /** Lower case; `fingerprints` are SHA-256 without colons. */
  readonly certificate: { names: ReadonlySet<string>; fingerprints: ReadonlySet<string> } | undefined;
  /** The edge whose X-Trunk names it; it is known by nothing else. */
  readonly behind: string | undefined;
  /** Its word on who is calling (P-Asserted-Identity, RFC 3325) is believed. */
  /** Takes phones in browsers, which are known by credentials that we made for them. */
  readonly browser: boolean;
  readonly trustIdentity: boolean;
  readonly media: TrunkMedia;
  readonly limits: { calls: number | undefined; callsPerSecond: number | undefined; burst: number | undefined };
  /** Its addresses alone admit it: what comes from them is never held against them, since addresses can be forged. */
  readonly named: boolean;
}

/** What names in the files can refer to. */
export interface Known {
  actions: readonly string[];
  voices: readonly string[];
  /** BCP 47 primary languages, e.g. en. */
  languages: readonly string[];
}

export interface SipConfigSource {
  /** Folder; its *.yaml files are read in the order of their names and count as one. */
  directory: string;
  env: Environment;
  known: Known;
}

interface CheckedFile {
  data: SipConfigFile;
  at(path: YamlPath): string;
}

/**
 * Reads the folder. Throws Failure code bad-sip-config whose message has a line `file:line:column: what is wrong` for
 * every mistake found; no value of a secret is repeated in it.
 */
export function loadSipConfig({ directory, env, known }: SipConfigSource): SipConfig {
  const folder = resolve(directory);
  const texts = readTexts(folder);
  const problems: string[] = [];
  const files: CheckedFile[] = [];
  for (const [file, text] of texts) {
    const checked = checkedYaml(text, file, fileSchema);
    if ('problems' in checked) problems.push(...checked.problems);
    else files.push(checked);
  }
  if (problems.length > 0) throw bad(problems);
  const version = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 12);
  const config = new Compiler(files, folder, env, known, problems).compile(version);
  if (problems.length > 0) throw bad(problems);
  return config;
}

function readTexts(folder: string): [file: string, text: string][] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'));
  } catch (error) {
    throw bad([`${folder}: ${asFailure(error).message}`]);
  }
  if (names.length === 0) throw bad([`${folder}: there is no .yaml file in it`]);
  return names.toSorted().map((name) => {
    const file = join(folder, name);
    try {
      return [file, readFileSync(file, 'utf8')];
    } catch (error) {
      throw bad([`${file}: ${asFailure(error).message}`]);
    }
  });
}

function bad(problems: readonly string[]): Failure {
  return new Failure(problems.join('\n'), { code: 'bad-sip-config', blame: 'us' });
}

/** From the form to the meaning: names are resolved, and what leads nowhere is noted with its place. */
class Compiler {
  readonly #files: readonly CheckedFile[];
  readonly #folder: string;
  readonly #env: Environment;
  readonly #known: Known;
  readonly #problems: string[];

  constructor(files: readonly CheckedFile[], folder: string, env: Environment, known: Known, problems: string[]) {
    this.#files = files;
    this.#folder = folder;
    this.#env = env;
    this.#known = known;
    this.#problems = problems;
  }

  compile(version: string): SipConfig {
    const realm = this.#only('realm') ?? 'sip-voice-connector';
    const bots = this.#named('bots', (entry, note) => this.#bot(entry, note));
    const hours = this.#named('hours', (entry) => compileHours(entry));
    const users = new Set<string>();
    const trunks = this.#named('trunks', (entry, note) => this.#trunk(entry, realm, users, note));
    this.#each('trunks', ({ behind }, note) => checkEdge(behind, trunks, note));
    const secrets = { folder: this.#folder, env: this.#env };
    const accounts = this.#named('registrations', (entry, note) => {
      // Its calls are of a trunk of that name.
      if (trunks.has(entry.name)) note(['name'], `there is a trunk "${entry.name}"`);
      if (entry.bot !== undefined && !bots.has(entry.bot)) note(['bot'], `there is no bot "${entry.bot}"`);
      return compileAccount(entry, secrets, note);
    });
    const callers = new Map([...trunks, ...[...accounts.values()].map(({ name, trunk }) => [name, trunk] as const)]);
    const rules = this.#each('numbers', (entry, note) => compileRule(entry, { bots, hours, trunks: callers }, note));
    const supervisors = this.#supervisors(callers, secrets);
    if (supervisors) rules.push(supervisors);
    this.#checkTwins(rules);
    const gateways = this.#named('gateways', (entry, note) => {
      const { registration } = entry;
      if (registration !== undefined && !accounts.has(registration)) {
        note(['registration'], `there is no registration "${registration}"`);
      }
      return compileGateway(entry, secrets, note);
    });
    const handover = this.#handover({ hours, gateways, env: this.#env });
    this.#each('gateways', ({ transfers }, note) => {
      for (const [index, queue] of (transfers?.queues ?? []).entries()) {
        if (!handover.queues.has(queue)) note(['transfers', 'queues', index], `there is no queue "${queue}"`);
      }
    });
    return {
      version,
      realm,
      admission: this.#only('admission') ?? DEFAULT_ADMISSION,
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

  #supervisors(trunks: ReadonlyMap<string, Trunk>, secrets: { folder: string; env: Environment }) {
    const entry = this.#only('supervisors');
    if (entry === undefined) return undefined;
    const note = this.#noteIn('supervisors');
    return { ...compileSupervisors(entry, { trunks, ...secrets }, note), note };
  }

  #handover(names: HandoverNames): HandoverPlan {
    const entry = this.#only('handover');
    return entry === undefined ? NO_HANDOVER : compileHandover(entry, names, this.#noteIn('handover'));
  }

  /** Of a setting that stands in one file only, in the first that has it. */
  #noteIn(key: 'handover' | 'supervisors'): Note {
    return this.#noteAt(this.#files.find(({ data }) => data[key] !== undefined)!.at, key);
  }

  #noteAt(at: CheckedFile['at'], ...place: YamlPath): Note {
    return (path, message) => {
      const whole = [...place, ...path];
      this.#problems.push(`${at(whole)}: ${whole.join('.')}: ${message}`);
    };
  }

  /** A setting that may stand in one file only. */
  #only<K extends 'realm' | 'admission' | 'handover' | 'supervisors'>(key: K): SipConfigFile[K] {
    const [first, second] = this.#files.filter(({ data }) => data[key] !== undefined);
    if (second) this.#problems.push(`${second.at([key])}: ${key}: stands in another file as well`);
    return first?.data[key];
  }

  #each<K extends Section, T>(key: K, make: (entry: Entry<K>, note: Note) => T): T[] {
    return this.#files.flatMap(({ data, at }) =>
      ((data[key] ?? []) as Entry<K>[]).map((entry, index) => make(entry, this.#noteAt(at, key, index))),
    );
  }

  #named<K extends Exclude<Section, 'numbers'>, T>(key: K, make: (entry: Entry<K>, note: Note) => T): Map<string, T> {
    const made = new Map<string, T>();
    this.#each(key, (entry, note) => {
      const { name } = entry as { name: string };
      if (made.has(name)) note(['name'], `there is another ${key === 'hours' ? 'hours' : key.slice(0, -1)} "${name}"`);
      made.set(name, make(entry, note));
    });
    return made;
  }

  #trunk(entry: TrunkEntry, realm: string, taken: Set<string>, note: Note): Trunk {
    const { name, from, digest, certificate, behind, browser, trustIdentity, media, limits } = entry;
    for (const [index, user] of (digest?.users ?? []).entries()) {
      if (taken.has(user.name)) note(['digest', 'users', index, 'name'], 'there is another user of this name');
      taken.add(user.name);
    }
    const { calls, callsPerSecond, burst } = limits;
    return {
      name,
      from: from && new AddressSet(from),
      digest: digest && {
        users: digestUsers(digest, { realm, folder: this.#folder, env: this.#env }, (path, message) =>
          note(['digest', ...path], message),
        ),
        algorithms: digest.algorithms,
      },
      certificate: certificate && {
        names: new Set(certificate.names),
        fingerprints: new Set(certificate.fingerprints),
      },
      behind,
      browser,
      trustIdentity,
      media,
      limits: { calls, callsPerSecond, burst },
      named: from !== undefined && digest === undefined && !from.some(isEverything),
    };
  }

  #bot(entry: BotEntry, note: Note): BotProfile {
    const { actions, voices, languages } = this.#known;
    if (entry.voice !== undefined && !voices.includes(entry.voice)) {
      note(['voice'], `is none of ${voices.join(', ')}`);
    }
    if (!languages.includes(entry.language.split('-')[0]!.toLowerCase())) {
      note(['language'], `the engines speak ${languages.join(', ')} only`);
    }
    if (entry.actions !== 'all') {
      for (const [index, action] of entry.actions.entries()) {
        if (!actions.includes(action)) note(['actions', index], `there is no action "${action}"`);
      }
    }
    const { version, instructions, prompts, outbound, ...rest } = entry;
    return {
      ...rest,
      outbound: outbound && {
        ...outbound,
        rightParty: outbound.rightParty,
        purpose: outbound.purpose,
        message: outbound.message,
      },
      voice: entry.voice,
      version: version ?? createHash('sha256').update(JSON.stringify(entry)).digest('hex').slice(0, 12),
      instructions: instructions ?? BANK_PROFILE.instructions,
      prompts: { ...BANK_PROFILE.prompts, ...prompts },
    };
  }

  #checkTwins(rules: readonly { rule: NumberRule; note: Note }[]): void {
    const seen = new Set<string>();
    for (const { rule, note } of rules) {
      const { match } = rule;
      const key = JSON.stringify([match, 'pattern' in match ? match.pattern.source : '', [...(rule.trunks ?? [])]]);
      if (seen.has(key)) note([], 'there is another rule for this number');
      seen.add(key);
    }
  }
}

type Section = 'trunks' | 'bots' | 'hours' | 'numbers' | 'gateways' | 'registrations';
type Entry<K extends Section> = NonNullable<SipConfigFile[K]>[number];
export type Note = (path: YamlPath, message: string) => void;

interface Names {
  bots: ReadonlyMap<string, BotProfile>;
  hours: ReadonlyMap<string, Hours>;
  trunks: ReadonlyMap<string, Trunk>;
}

/** An edge is a trunk that is known by itself: edges behind edges would have to be believed about each other. */
function checkEdge(edge: string | undefined, trunks: ReadonlyMap<string, Trunk>, note: Note): void {
  if (edge === undefined) return;
  const trunk = trunks.get(edge);
  if (trunk === undefined) note(['behind'], `there is no trunk "${edge}"`);
  else if (trunk.behind !== undefined) note(['behind'], `"${edge}" is itself behind another trunk`);
}

function compileRule(entry: RuleEntry, names: Names, note: Note): { rule: NumberRule; note: Note } {
  const { number, prefix, pattern, bot, refuse, hours, closed, trunks } = entry;
  const known = (name: string, path: YamlPath) => {
    if (!names.bots.has(name)) note(path, `there is no bot "${name}"`);
  };
  if (bot !== undefined) known(bot, ['bot']);
  if (closed && 'bot' in closed) known(closed.bot, ['closed', 'bot']);
  if (hours !== undefined && !names.hours.has(hours)) note(['hours'], `there are no hours "${hours}"`);
  for (const [index, name] of (trunks ?? []).entries()) {
    if (!names.trunks.has(name)) note(['trunks', index], `there is no trunk "${name}"`);
  }
  const match =
    number !== undefined
      ? { number }
      : prefix !== undefined
        ? { prefix }
        : pattern !== undefined
          ? { pattern }
          : { any: true as const };
  const rule: NumberRule = {
    match,
    trunks: trunks && new Set(trunks),
    to: bot !== undefined ? { bot } : { refuse: refuse! },
    hours: hours === undefined ? undefined : names.hours.get(hours),
    closed: closed && ('bot' in closed ? closed : { refuse: closed }),
  };
  return { rule, note };
}

function compileHours({ zone, week, days }: HoursEntry): Hours {
  const open: Span[][] = [[], [], [], [], [], [], []];
  for (const [key, spans] of Object.entries(week)) for (const day of parseDays(key)!) open[day] = spans;
  return { zone, week: open, days: new Map(Object.entries(days)) };
}

function isEverything({ prefix }: Block): boolean {
  return prefix === 0;
}
