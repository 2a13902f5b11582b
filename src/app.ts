import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { adminToken } from './admin-token.ts';
import { HttpBankClient } from './banking/bank-client.ts';
import { BankingDesk } from './banking/desk.ts';
import { loadActions } from './banking/load-actions.ts';
import { actionsOf } from './banking/view.ts';
import { admissionMetrics } from './call/admission-metrics.ts';
import type { BotProfile } from './call/bot-profile.ts';
import { Bots } from './call/bots.ts';
import { Calls } from './call/calls.ts';
import { openUntil } from './call/campaigns/open-until.ts';
import { WaitingRoom } from './call/handover/waiting-room.ts';
import { Webhook } from './call/handover/webhook.ts';
import { CallMetrics } from './call/metrics.ts';
import { OrderDesk } from './call/orders/order-desk.ts';
import { OutboundCaller } from './call/orders/outbound-caller.ts';
import { isWhole } from './call/orders/words.ts';
import { outboundMetrics } from './call/outbound-metrics.ts';
import { connectionMetrics, mediaMetrics, storeMetrics } from './call/plant-metrics.ts';
import { RecordingEncoder } from './call/recording-encoder.ts';
import { companionsOf, findRecording, Recordings } from './call/recordings.ts';
import { CallRegistry } from './call/registry.ts';
import type { RetentionPolicy } from './call/retention.ts';
import { type RecognizerFigures, recognizerMetrics } from './call/speech-metrics.ts';
import { SupervisionDesk } from './call/supervision/supervision-desk.ts';
import { SUPERVISOR_WORDS } from './call/supervision/supervisor.ts';
import type { Config } from './config.ts';
import { systemTimekeeper } from './core/alarm.ts';
import { systemClock } from './core/clock.ts';
import type { Logger } from './core/log.ts';
import { Scope } from './core/scope.ts';
import { rateOf } from './core/token-bucket.ts';
import { launchDemoBank } from './demo-bank/launch.ts';
import { adaptiveEndpointing, fixedEndpointing } from './dialogue/endpointing.ts';
import { FallbackModel } from './dialogue/fallback-model.ts';
import { DEFAULT_IDLE } from './dialogue/idle.ts';
import type { LanguageModel } from './dialogue/language-model.ts';
import { OpenAiModel } from './dialogue/openai/openai-model.ts';
import { fixedPrompts } from './dialogue/prompts.ts';
import { ScriptedDialogue } from './dialogue/scripted/scripted-dialogue.ts';
import { Admission } from './frontends/admission/admission.ts';
import { browserDesk } from './frontends/embedded/browser-desk.ts';
import { EmbeddedFrontEnd } from './frontends/embedded/embedded-front-end.ts';
import { BrowserPhones } from './frontends/trunks/browser-phones.ts';
import { ConfigWatch } from './frontends/trunks/config-watch.ts';
import { isOpen } from './frontends/trunks/hours.ts';
import { createHttpServer } from './http/index.ts';
import { WorkerMediaEngine } from './media/media-engine.ts';
import { SipTracer } from './sip/trace/sip-tracer.ts';
import { FliteSynthesizer } from './speech/flite/flite-synthesizer.ts';
import { VOICES } from './speech/flite/voices.ts';
import type { Recognizer, Synthesizer } from './speech/ports.ts';
import { EndOfTurnRecognizer } from './speech/smart-turn/end-of-turn-recognizer.ts';
import { SoundswallowerRecognizer } from './speech/soundswallower/soundswallower-recognizer.ts';
import { PostgresStore } from './store/postgres/store.ts';

export interface App {
  calls(): number;
  /** Stops taking calls, lets running ones end, closes everything. Idempotent. */
  stop(): Promise<void>;
  /** Running calls are ended now instead of being waited for. */
  hurry(): void;
  /** Reads sip-config/ again; a mistake in it keeps the one in force. */
  reload(): void;
}

const ACTIONS_FILE = fileURLToPath(new URL('./banking/actions/demo-bank.yaml', import.meta.url));
const CONSOLE_DIR = fileURLToPath(new URL('../dist/console', import.meta.url));
const VAD_MODULE = new URL('./speech/silero/vad-engine.ts', import.meta.url).href;
const SIP_CONFIG_DIR = fileURLToPath(new URL('../sip-config', import.meta.url));
/** What the engines speak and understand. */
const LANGUAGES = ['en'];
const RETRY_AFTER_S = 5;
/** A bot that has to end its call may take this long to say so. */
const GOODBYE_MS = 10_000;
const CLEAN_UP_EVERY_MS = 10 * 60_000;

/**
 * The composition root: the only place where parts meet. Leaves first; what is opened is closed in reverse order,
 * also when a later part does not start.
 */
export async function startApp(config: Config, log: Logger): Promise<App> {
  const scope = new Scope('process', {
    graceMs: 10_000,
    onOverrun: (name, afterMs) => log.warn({ name, afterMs: Math.round(afterMs) }, 'close took too long'),
    onError: (name, error) => log.error({ err: error, name }, 'task failed'),
  });
  try {
    return await compose(config, log, scope);
  } catch (error) {
    await scope.close(error);
    throw error;
  }
}

async function compose(config: Config, log: Logger, scope: Scope): Promise<App> {
  const clock = systemClock;
  const catalogue = loadActions(ACTIONS_FILE);
  const actions = actionsOf(catalogue);
  const sipConfig = new ConfigWatch(
    {
      directory: config.sipConfig.directory ?? SIP_CONFIG_DIR,
      env: config.sipConfig.env,
      known: { actions: actions.map(({ name }) => name), voices: Object.keys(VOICES), languages: LANGUAGES },
    },
    log,
    ({ bots }) => {
      frontEnd.outbound.reconfigured();
      void scope.run('prompts', () => warm(bots.values(), synthesizer));
    },
  );
  scope.onClose('sip-config', () => sipConfig.close());
  const registry = new CallRegistry();
  const speech = config.botProfile === 'bank';

  // Independent of each other, and each takes its time: started together, closed in reverse order.
  const workers = Math.max(1, availableParallelism() - 1);
  const { admin, store, bankUrl, media, ears, synthesizer, encoder } = await together({
    admin: adminToken(config.adminToken, config.dataDir),
    store: opened(
      scope,
      'store',
      PostgresStore.open({
        ...(config.databaseUrl === undefined
          ? { embedded: { dataDir: join(config.dataDir, 'postgres') } }
          : { connectionString: config.databaseUrl }),
        tenantId: config.tenantId,
        instanceId: config.instanceId,
        spoolDir: join(config.dataDir, 'spool'),
        recordings: {
          dataDir: config.dataDir,
          companions: companionsOf,
          find: (call) => findRecording({ dataDir: config.dataDir, keys: config.recording.keys, log }, call),
        },
        log,
        clock,
      }),
    ),
    bankUrl: bankAddress(config, log, scope),
    media: opened(
      scope,
      'media',
      WorkerMediaEngine.start({
        workers,
        ports: config.rtp,
        dtls: true,
        vad: speech ? { module: VAD_MODULE } : undefined,
        // Twice, for legs beside the caller's. How many are too many is admission's to say: by load, not by count.
        sessionsPerWorker: Math.max(500, Math.ceil((2 * config.maxCalls) / workers)),
        log,
      }),
    ),
    encoder:
      config.recording.format === 'opus'
        ? opened(scope, 'recording-encoder', RecordingEncoder.start(config.recording.keys, log))
        : Promise.resolve(undefined),
    ears: opened(scope, 'recogniser', startRecognizer(config, log)),
    synthesizer: opened(scope, 'synthesizer', FliteSynthesizer.start({ workers, voice: config.tts.voice, log })),
  });
  const { recognizer } = ears;
  await warm(sipConfig.current.bots.values(), synthesizer);

  const bank = new HttpBankClient({ baseUrl: bankUrl, apiKey: config.bank.apiKey, log, clock });
  const model = languageModel(config, log);
  const bots = new Bots({
    profiles: () => sipConfig.current.bots,
    catalogue,
    openDesk: (call, actions) => new BankingDesk({ ...call, actions, bank, ledger: store.ledger, clock }),
  });
  const tracer = config.sip.trace === undefined ? undefined : new SipTracer(config.sip.trace);
  const recordings = new Recordings({ dataDir: config.dataDir, ...config.recording, encoder, log });
  const callScope = scope.child('calls');
  const engines = { time: systemTimekeeper, recognizer, synthesizer, model };
  const calls = new Calls(
    {
      ...engines,
      log,
      recordings,
      botFor: (leg) => bots.for(leg),
      speech,
      media,
      localRecognizer: recognizer,
      journal: store.journal,
      registry,
      sipTraces: tracer,
      endpointing:
        config.endpointingFixedMs === undefined ? adaptiveEndpointing : fixedEndpointing(config.endpointingFixedMs),
      idle: { ...DEFAULT_IDLE, promptAfterMs: config.idleMs },
      contextTtlMs: config.contextTtlMs,
      dialler: () => frontEnd.dialler,
      recall: config.recall,
      handover: {
        plan: () => sipConfig.current.handover,
        room: new WaitingRoom(),
        webhook: new Webhook(clock, log),
      },
      maxCalls: config.maxCalls,
      codecs: config.codecs,
    },
    callScope,
  );

  const supervision = new SupervisionDesk({
    calls,
    codes: () => sipConfig.current.supervisors,
    media,
    codecs: config.codecs,
    synthesizer,
    dialler: () => frontEnd.dialler,
    most: config.maxSupervisors,
    time: systemTimekeeper,
    log,
  });
  callScope.onClose('supervisors', () => supervision.close());
  if (sipConfig.current.supervisors) await synthesizer.warm(Object.values(SUPERVISOR_WORDS));

  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const callMetrics = new CallMetrics(metrics, () => calls.size);
  void scope.run('call metrics', (signal) => callMetrics.watch(registry.observe(signal)));
  storeMetrics(metrics, () => store.metrics());
  mediaMetrics(metrics, () => media.stats());
  recognizerMetrics(metrics, ears.figures);
  cleanUpRegularly(scope, async () => {
    await store.cleanUp(clock.wall());
    await store.retain(retentionPolicy(config, sipConfig.current.bots), clock.wall());
  });

  const phones = new BrowserPhones(clock);
  const admission: Admission = new Admission({
    config: sipConfig,
    phones,
    maxCalls: config.maxCalls,
    load: config.load,
    retryAfterSeconds: RETRY_AFTER_S,
    registered: (request, flow) => frontEnd.outbound.owner(request, flow),
    clock,
    log,
  });
  scope.onClose('admission', () => admission.close());
  admissionMetrics(metrics, admission);
  const frontEnd = new EmbeddedFrontEnd({
    listen: config.sip.listen,
    publicAddress: config.sip.publicAddresses,
    tls: config.sip.tls,
    webSocketOrigins: config.sip.webSocketOrigins,
    connections: config.sip.connections,
    sessionTimer: config.sip.sessionTimer,
    media: config.media,
    maxCalls: config.maxCalls,
    admission,
    waysOut: () => sipConfig.current,
    tap: tracer,
    log,
  });
  connectionMetrics(
    metrics,
    () => frontEnd.transportStats,
    () => frontEnd.dialogs,
  );
  const caller = new OutboundCaller({
    dialler: frontEnd.dialler,
    botNamed: (name) => bots.named(name),
    place: (opening) => calls.place(opening),
    deps: engines,
    verifyAction: catalogue.actions.find(({ policy }) => policy.effect === 'verify')?.name,
    log,
  });
  const { calls: outboundCalls, perSecond, inboundReserve } = config.outbound;
  // Hours that are no more are closed: whoever took them away did not mean "at any time".
  const isOpenNow = (name: string, at: Date) => {
    const hours = sipConfig.current.hours.get(name);
    return hours !== undefined && isOpen(hours, at);
  };
  const orders = new OrderDesk({
    book: store.orders,
    dial: (order) => caller.call(order),
    // Calls out never take the room that is kept for calls in, and none is made while calls in are refused.
    room: () =>
      admission.status().state === 'open' ? Math.floor(config.maxCalls * (1 - inboundReserve)) - calls.size : 0,
    feed: () => {
      const now = clock.wall();
      return store.campaigns.feed(now, (settings) => openUntil(settings, now, isOpenNow));
    },
    limits: { calls: outboundCalls, rate: rateOf(perSecond) },
    clock,
    log,
  });
  outboundMetrics(metrics, frontEnd.outbound);
  let draining = false;
  const http = await createHttpServer({
    host: config.http.host,
    port: config.http.port,
    adminToken: admin.token,
    archive: store.archive,
    registry,
    dataDir: config.dataDir,
    recordingKeys: config.recording.keys,
    retention: store,
    consoleDir: CONSOLE_DIR,
    checks: [
      { name: 'sip', required: true, check: () => frontEnd.health() },
      { name: 'media', required: true, check: async () => ({ ok: (await media.stats()) !== undefined }) },
      { name: 'recognizer', required: true, check: () => recognizer.health() },
      { name: 'synthesizer', required: true, check: () => synthesizer.health() },
      { name: 'sip-config', required: false, check: () => sipConfig.health() },
      // Calls go on without these: the spool, the scripted dialogue and honest answers stand in.
      { name: 'database', required: false, check: () => store.health() },
      { name: 'bank', required: false, check: () => bank.health() },
      { name: 'language-model', required: false, check: () => model.health() },
    ],
    metrics,
    log,
    live: calls,
    phones: browserDesk({ phones, config: () => sipConfig.current, bound: () => frontEnd.bound }),
    outbound: {
      orders,
      campaigns: store.campaigns,
      bots: () => sipConfig.current.bots,
      hoursKnown: (name) => sipConfig.current.hours.has(name),
      now: () => clock.wall(),
    },
    supervision,
    admission,
    waysOut: frontEnd.outbound,
    draining: () => draining,
  });
  scope.onClose('http', () => http.close());
  await frontEnd.start((leg) => (leg.supervisor ? supervision.accept(leg) : calls.accept(leg)));
  scope.onClose('sip', () => frontEnd.close());
  scope.onClose('orders', () => orders.close());
  orders.start();
  sipConfig.watch();

  if (admin.isNew) {
    process.stderr.write(
      `\nThe admin token, printed this once (kept in ${join(config.dataDir, 'admin-token')}): ${admin.token}\n\n`,
    );
  }
  log.info({ sip: frontEnd.bound, http: http.address, profile: config.botProfile, model: model.name }, 'ready');

  let stopping: Promise<void> | undefined;
  return {
    calls: () => calls.size,
    hurry: () => void calls.drain(0, 0),
    reload: () => void sipConfig.reload(),
    stop() {
      stopping ??= (async () => {
        draining = true;
        frontEnd.drain();
        void orders.close();
        await calls.drain(config.drainMs, config.drainMs === 0 ? 0 : GOODBYE_MS);
        await scope.close('stop');
      })();
      return stopping;
    },
  };
}

/** Registers the part's close at once, so that the order of closing is the order written here, not of readiness. */
function opened<T extends { close(): Promise<void> }>(scope: Scope, name: string, part: Promise<T>): Promise<T> {
  scope.onClose(name, async () => {
    const open = await part.catch(() => undefined);
    await open?.close();
  });
  return part;
}

type Started<T> = { [K in keyof T]: Awaited<T[K]> };

/** Waits for all, also when one fails, so that what did start is known to the scope before it is closed. */
async function together<T extends Record<string, Promise<unknown>>>(parts: T): Promise<Started<T>> {
  const settled = await Promise.allSettled(Object.values(parts));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const values = settled.map((one) => (one as PromiseFulfilledResult<unknown>).value);
  return Object.fromEntries(Object.keys(parts).map((key, i) => [key, values[i]])) as Started<T>;
}

async function bankAddress(config: Config, log: Logger, scope: Scope): Promise<string> {
  if (config.bank.url !== undefined) return config.bank.url;
  return (await opened(scope, 'demo bank', launchDemoBank({ apiKey: config.bank.apiKey, log }))).url;
}

interface Ears {
  recognizer: Recognizer;
  figures: () => Promise<RecognizerFigures>;
  close(): Promise<void>;
}

/** Words by grammar; with a model of when turns end where one is given. */
async function startRecognizer(config: Config, log: Logger): Promise<Ears> {
  const words = await SoundswallowerRecognizer.start({ workers: availableParallelism(), recordWorkers: 1, log });
  const ears = (recognizer: Recognizer): Ears => ({
    recognizer,
    figures: () => words.stats(),
    close: () => recognizer.close(),
  });
  if (config.endOfTurnModel === undefined) return ears(words);
  try {
    return ears(await EndOfTurnRecognizer.start({ recognizer: words, model: config.endOfTurnModel, log }));
  } catch (error) {
    await words.close();
    throw error;
  }
}

/** Makes the fixed words of all bots, so that no caller waits for them. */
async function warm(profiles: Iterable<BotProfile>, synthesizer: Synthesizer): Promise<void> {
  for (const { prompts, voice } of profiles) await synthesizer.warm(fixedPrompts(prompts).filter(isWhole), { voice });
}

function languageModel(config: Config, log: Logger): LanguageModel {
  const scripted = new ScriptedDialogue();
  if (config.llm.provider === 'scripted') return scripted;
  return new FallbackModel(new OpenAiModel(config.llm), scripted, {
    firstPartMs: 1200,
    stallMs: 1500,
    restMs: 30_000,
    now: systemClock.now,
    onFallback: (failure) =>
      log.warn(
        { code: failure.code, reason: failure.message },
        'language model failed; the scripted dialogue takes over',
      ),
  });
}

function retentionPolicy(config: Config, bots: ReadonlyMap<string, BotProfile>): RetentionPolicy {
  const own = [...bots].flatMap(([name, { retention }]) => (retention ? [[name, retention] as const] : []));
  return { ...config.recording.retention, bots: new Map(own) };
}

function cleanUpRegularly(scope: Scope, cleanUp: () => Promise<unknown>): void {
  const timer = setInterval(() => void scope.run('clean-up', async () => void (await cleanUp())), CLEAN_UP_EVERY_MS);
  timer.unref();
  scope.onClose('clean-up timer', () => clearInterval(timer));
}
