import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { LEAST_TOKEN_LENGTH } from './admin-token.ts';
import { RECORDING_VARIABLES, type RecordingSettings, recordingSettings } from './config-recording.ts';
import { list, SIP_VARIABLES, type SipSettings, sipSettings } from './config-sip.ts';
import { httpTlsFiles } from './config-tls.ts';
import { inWords, misspelt } from './config-words.ts';
import { type Block, parseBlock } from './core/address-set.ts';
import { Failure } from './core/errors.ts';
import { readEnvFile } from './env-file.ts';
import { CODEC_NAMES, type CodecName } from './media/codecs/codec.ts';
import type { TlsFiles } from './sip/transport/tls-files.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const address = z.string().refine((text) => isIP(text) !== 0, 'must be an IP address');
const percent = z.coerce.number().min(1).max(100);
const url = z.url({ protocol: /^https?$/ });

const networks = list
  .transform((all) => all.map(parseBlock))
  .refine((all) => all.every((block) => block !== undefined), 'must be IP addresses or networks, such as 10.0.0.0/8')
  .transform((all) => all.filter((block) => block !== undefined));

const codecs = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .transform((names) => names.map((name) => CODEC_NAMES.find((codec) => codec.toUpperCase() === name.toUpperCase())))
  .refine((names) => names.every((name) => name !== undefined) && new Set(names).size === names.length, {
    message: `must be a list of ${CODEC_NAMES.join(', ')}, each at most once`,
  })
  .transform((names) => names.filter((name) => name !== undefined));

/**
 * The variables, each with its default; .env.example explains them. Read here and nowhere else.
 */
const Variables = z.object({
  ...SIP_VARIABLES,
  RTP_PORT_MIN: port.default(20_000),
  RTP_PORT_MAX: port.default(29_999),
  RTP_BY: z.enum(['system', 'node']).default('system'),
  RTP_HOST: address.optional(),
  RTP_PUBLIC_ADDRESS: address.optional(),
  CODECS: codecs.default([...CODEC_NAMES]),
  SIP_CONFIG: z.string().optional(),
  HTTP_HOST: z.string().default('127.0.0.1'),
  HTTP_PORT: port.default(8080),
  HTTP_TLS_CERT: list.default([]),
  HTTP_TLS_KEY: list.default([]),
  HTTP_TRUSTED_PROXIES: networks.default([]),
  DATA_DIR: z.string().default('./data'),
  CACHE_DIR: z.string().optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  ADMIN_TOKEN: z.string().min(LEAST_TOKEN_LENGTH, `must have at least ${LEAST_TOKEN_LENGTH} characters`).optional(),
  BANK_URL: url.optional(),
  BANK_API_KEY: z.string().default('demo-bank-key'),
  ACTIONS_FILE: z.string().optional(),
  LLM_PROVIDER: z.enum(['scripted', 'openai']).default('scripted'),
  OPENAI_BASE_URL: url.optional(),
  OPENAI_API_KEY: z.string().optional(),
  LLM_MODEL: z.string().default('gpt-4o-mini'),
  TTS_VOICE: z.enum(['slt', 'rms', 'awb', 'kal', 'kal16']).default('slt'),
  BOT_PROFILE: z.enum(['bank', 'silent']).default('bank'),
  MEDIA_SCHEDULING: z.enum(['realtime', 'fair']).default('realtime'),
  MEDIA_WORKERS: z.coerce.number().int().min(1).max(64).optional(),
  MAX_CALLS: z.coerce.number().int().min(1).default(200),
  OUTBOUND_MAX_CALLS: z.coerce.number().int().min(0).default(50),
  OUTBOUND_CALLS_PER_SECOND: z.coerce.number().positive().max(1000).default(5),
  INBOUND_RESERVE_PERCENT: z.coerce.number().min(0).max(100).default(50),
  MAX_CPU_PERCENT: percent.default(95),
  MAX_MEMORY_PERCENT: percent.default(90),
  MAX_LOOP_DELAY_MS: z.coerce.number().int().min(20).default(250),
  MAX_SETUP_MS: z.coerce.number().int().min(20).max(60_000).default(300),
  DRAIN_SECONDS: z.coerce.number().min(0).max(86_400).default(20),
  ENDPOINTING: z.enum(['adaptive', 'fixed']).default('adaptive'),
  ENDPOINTING_FIXED_MS: z.coerce.number().int().min(100).max(5000).default(700),
  END_OF_TURN_MODEL: z.string().optional(),
  FREE_SPEECH_MODEL: z.string().default('auto'),
  IDLE_SECONDS: z.coerce.number().min(1).max(3_600).default(8),
  CONTEXT_TTL_HOURS: z.coerce.number().positive().max(876_000).default(24),
  TENANT_ID: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
    .default('default'),
  INSTANCE_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, ., - or _')
    .optional(),
  MAX_SUPERVISORS: z.coerce.number().int().min(0).max(1000).default(20),
  ...RECORDING_VARIABLES,
  RECALL_KEYS: z
    .string()
    .regex(/^[0-9*#A-D]{1,8}$/, 'must be 1 to 8 telephone keys')
    .default('*9'),
  RECALL_WORDS: z
    .string()
    .regex(/^[A-Za-z' ]{3,60}$/, 'must be words, letters only')
    .default('computer take over'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export interface Config {
  readonly sip: SipSettings;
  /** Trunks, numbers, bots: the folder (undefined: the shipped one), and what `${NAME}` in its files refers to. */
  readonly sipConfig: { directory: string | undefined; env: Readonly<Record<string, string | undefined>> };
  readonly rtp: { min: number; max: number } | 'ephemeral';
  /** By the system's own calls, where they can be had, or by Node's dgram. */
  readonly rtpBy: 'system' | 'node';
  /** Of the threads that carry audio, as far as it is allowed. */
  readonly mediaScheduling: 'realtime' | 'fair';
  /** Threads that carry audio; undefined: one per core. */
  readonly mediaWorkers: number | undefined;
  /** Where media differs from signalling: the address it binds to, the address callers are told. */
  readonly media: { bind: string | undefined; announce: string | undefined };
  /** The codecs in use, in our order of preference. */
  readonly codecs: readonly CodecName[];
  /** `tls` undefined: in the clear. `proxies`: whose headers say where requests come from. */
  readonly http: { host: string; port: number; tls: TlsFiles | undefined; proxies: readonly Block[] };
  readonly dataDir: string;
  /** What can be made again, and makes a start quicker: nothing of calls. */
  readonly cacheDir: string;
  readonly recording: RecordingSettings;
  readonly databaseUrl: string | undefined;
  readonly adminToken: string | undefined;
  readonly bank: { url: string | undefined; apiKey: string };
  /** What the bot may do there; undefined: the demo bank's. */
  readonly actionsFile: string | undefined;
  readonly llm:
    | { provider: 'scripted' }
    | { provider: 'openai'; baseUrl: string | undefined; apiKey: string; model: string };
  readonly tts: { voice: z.infer<typeof Variables>['TTS_VOICE'] };
  readonly botProfile: 'bank' | 'silent';
  readonly maxCalls: number;
  /** Calls of ours: at once, per second, and the share of `maxCalls` that is kept free for others (of 1). */
  readonly outbound: { calls: number; perSecond: number; inboundReserve: number };
  /** Beyond these new calls are refused: shares of 1, and milliseconds. */
  readonly load: { cpu: number; memory: number; loopDelayMs: number; setupMs: number };
  readonly drainMs: number;
  /** Undefined: adaptive. */
  readonly endpointingFixedMs: number | undefined;
  /** File of a Smart Turn model; undefined: the words alone decide. */
  readonly endOfTurnModel: string | undefined;
  /** `auto`: the one that setup has fetched, if it is there; `off`; or a folder with such a model. */
  readonly freeSpeechModel: string;
  readonly idleMs: number;
  readonly contextTtlMs: number;
  /** Supervisors on the telephone at the same time. */
  readonly maxSupervisors: number;
  /** Keys an agent presses, and words in what an agent says, that give the caller back to the bot. */
  readonly recall: { keys: string; words: string };
  readonly tenantId: string;
  /** Undefined: the host's name. */
  readonly instanceId: string | undefined;
  readonly logLevel: z.infer<typeof Variables>['LOG_LEVEL'];
}

/**
 * Reads `.env` in `directory` and the environment (which wins). Throws Failure code bad-setting whose message is one
 * line that names every bad variable; values are not repeated, they may be secrets.
 */
export function readConfig(environment: NodeJS.ProcessEnv, directory: string): Config {
  const written = readEnvFile(directory);
  const settings = { ...written, ...environment };
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Variables.safeParse(given);
  if (!parsed.success) throw bad(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${inWords(issue)}`));
  const v = parsed.data;
  const complaints = misspelt(Object.keys(written), Object.keys(Variables.shape));
  const anyRtpPort = v.RTP_PORT_MIN === 0 && v.RTP_PORT_MAX === 0;
  if (!anyRtpPort && v.RTP_PORT_MIN < 1024) complaints.push('RTP_PORT_MIN: must be 1024 or more');
  if (!anyRtpPort && v.RTP_PORT_MAX < v.RTP_PORT_MIN + 1) complaints.push('RTP_PORT_MAX: must be above RTP_PORT_MIN');
  if (v.LLM_PROVIDER === 'openai' && v.OPENAI_API_KEY === undefined && v.OPENAI_BASE_URL === undefined) {
    complaints.push('OPENAI_API_KEY: needed with LLM_PROVIDER=openai (or OPENAI_BASE_URL of an endpoint without keys)');
  }
  const sip = sipSettings(v, directory, complaints);
  const httpTls = httpTlsFiles(v, directory, complaints);
  const recording = recordingSettings(v, directory, given, complaints);
  if (complaints.length > 0) throw bad(complaints);
  return deepFreeze({
    sip,
    sipConfig: { directory: v.SIP_CONFIG && resolve(directory, v.SIP_CONFIG), env: others(given) },
    rtp: anyRtpPort ? 'ephemeral' : { min: v.RTP_PORT_MIN, max: v.RTP_PORT_MAX },
    rtpBy: v.RTP_BY,
    mediaScheduling: v.MEDIA_SCHEDULING,
    mediaWorkers: v.MEDIA_WORKERS,
    media: { bind: v.RTP_HOST, announce: v.RTP_PUBLIC_ADDRESS ?? announced(v.RTP_HOST) },
    codecs: v.CODECS,
    http: { host: v.HTTP_HOST, port: v.HTTP_PORT, tls: httpTls, proxies: v.HTTP_TRUSTED_PROXIES },
    dataDir: resolve(directory, v.DATA_DIR),
    cacheDir: resolve(directory, v.CACHE_DIR ?? join(v.DATA_DIR, 'cache')),
    recording,
    databaseUrl: v.DATABASE_URL,
    adminToken: v.ADMIN_TOKEN,
    bank: { url: v.BANK_URL, apiKey: v.BANK_API_KEY },
    actionsFile: v.ACTIONS_FILE && resolve(directory, v.ACTIONS_FILE),
    llm:
      v.LLM_PROVIDER === 'scripted'
        ? { provider: 'scripted' }
        : { provider: 'openai', baseUrl: v.OPENAI_BASE_URL, apiKey: v.OPENAI_API_KEY ?? 'none', model: v.LLM_MODEL },
    tts: { voice: v.TTS_VOICE },
    botProfile: v.BOT_PROFILE,
    maxCalls: v.MAX_CALLS,
    outbound: {
      calls: v.OUTBOUND_MAX_CALLS,
      perSecond: v.OUTBOUND_CALLS_PER_SECOND,
      inboundReserve: v.INBOUND_RESERVE_PERCENT / 100,
    },
    load: {
      cpu: v.MAX_CPU_PERCENT / 100,
      memory: v.MAX_MEMORY_PERCENT / 100,
      loopDelayMs: v.MAX_LOOP_DELAY_MS,
      setupMs: v.MAX_SETUP_MS,
    },
    drainMs: v.DRAIN_SECONDS * 1000,
    endpointingFixedMs: v.ENDPOINTING === 'fixed' ? v.ENDPOINTING_FIXED_MS : undefined,
    endOfTurnModel: v.END_OF_TURN_MODEL === undefined ? undefined : resolve(directory, v.END_OF_TURN_MODEL),
    freeSpeechModel: /^(auto|off)$/.test(v.FREE_SPEECH_MODEL)
      ? v.FREE_SPEECH_MODEL
      : resolve(directory, v.FREE_SPEECH_MODEL),
    idleMs: v.IDLE_SECONDS * 1000,
    contextTtlMs: v.CONTEXT_TTL_HOURS * 3_600_000,
    maxSupervisors: v.MAX_SUPERVISORS,
    recall: { keys: v.RECALL_KEYS, words: v.RECALL_WORDS },
    tenantId: v.TENANT_ID,
    instanceId: v.INSTANCE_ID,
    logLevel: v.LOG_LEVEL,
  });
}

/** A wildcard is no address to send to. */
function announced(host: string | undefined): string | undefined {
  return host === '0.0.0.0' || host === '::' ? undefined : host;
}

/** What the environment has besides our settings: one of ours, a key perhaps, is nobody's SIP password. */
function others(given: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !Object.hasOwn(Variables.shape, name)));
}

function bad(complaints: string[]): Failure {
  return new Failure(`bad setting: ${complaints.join('; ')}`, { code: 'bad-setting', blame: 'us' });
}

function deepFreeze<T extends object>(tree: T): Readonly<T> {
  if (ArrayBuffer.isView(tree)) return tree;
  for (const value of Object.values(tree)) if (typeof value === 'object' && value !== null) deepFreeze(value);
  return Object.freeze(tree);
}
