import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adminToken } from './admin-token.ts';
import { callingOut } from './app/calling-out.ts';
import { healthChecks } from './app/health.ts';
import { startMedia } from './app/media.ts';
import { metricsOf } from './app/metrics.ts';
import { cleanUpRegularly, opened, together } from './app/parts.ts';
import { needPlaces } from './app/places.ts';
import { languageModel, laterTranscript, prepareEars, startRecognizer, warm, warmAnswers } from './app/speech.ts';
import { openStore, retentionPolicy } from './app/storage.ts';
import { startWeb } from './app/web.ts';
import { HttpBankClient } from './banking/bank-client.ts';
import { BankingDesk } from './banking/desk.ts';
import { loadActionsOnce } from './banking/kept-actions.ts';
import { actionsOf } from './banking/view.ts';
import { Bots } from './call/bot/bots.ts';
import { Calls } from './call/calls.ts';
import { WaitingRoom } from './call/handover/waiting-room.ts';
import { Webhook } from './call/handover/webhook.ts';
import { encodeLeftRecordings } from './call/recording/left-recordings.ts';
import { RecordingEncoder } from './call/recording/recording-encoder.ts';
import { Recordings } from './call/recording/recordings.ts';
import { CallRegistry } from './call/registry.ts';
import { SupervisionDesk } from './call/supervision/supervision-desk.ts';
import { SUPERVISOR_WORDS } from './call/supervision/supervisor.ts';
import type { Config } from './config.ts';
import { doneWithin } from './core/abortable.ts';
import { systemTimekeeper } from './core/alarm.ts';
import { systemClock } from './core/clock.ts';
import type { Logger } from './core/log.ts';
import { Scope } from './core/scope.ts';
import { launchDemoBank } from './demo-bank/launch.ts';
import { endpointingBy } from './dialogue/turn-taking/endpointing.ts';
import { DEFAULT_IDLE } from './dialogue/turn-taking/idle.ts';
import { Admission } from './frontends/admission/admission.ts';
import { EmbeddedFrontEnd } from './frontends/embedded/embedded-front-end.ts';
import { BrowserPhones } from './frontends/trunks/browser-phones.ts';
import { ConfigWatch } from './frontends/trunks/config-watch.ts';
import { needFolder } from './setting-folder.ts';
import { SipTracer } from './sip/trace/sip-tracer.ts';
import { FliteSynthesizer } from './speech/flite/flite-synthesizer.ts';
import { VOICES } from './speech/flite/voices.ts';

export interface App {
  calls(): number;
  /** Stops taking calls, lets running ones end, closes everything. Idempotent. */
  stop(): Promise<void>;
  /** Running calls are ended now instead of being waited for. */
  hurry(): void;
  /** Reads sip-config/ again; a mistake in it keeps the one in force. */
  reload(): void;
}

const DEMO_ACTIONS = fileURLToPath(new URL('./banking/actions/demo-bank.yaml', import.meta.url));
const SIP_CONFIG_DIR = fileURLToPath(new URL('../sip-config', import.meta.url));
/** What the engines speak and understand. */
const LANGUAGES = ['en'];
const RETRY_AFTER_S = 5;
/** A bot that has to end its call may take this long to say so. */
const GOODBYE_MS = 10_000;
/** For the last BYEs to be answered, and the last records to be written. */
const OVER_MS = 10_000;

/**
 * The composition root: the only place where parts meet. Leaves first; what is opened is closed in reverse order,
 * also when a later part does not start. Undefined: `unwanted` was aborted before all was ready, and what was opened is
 * closed.
 */
export async function startApp(config: Config, log: Logger, unwanted: AbortSignal): Promise<App | undefined> {
  const scope = new Scope('process', {
    graceMs: 10_000,
    onOverrun: (name, afterMs) => log.warn({ name, afterMs: Math.round(afterMs) }, 'close took too long'),
    onError: (name, error) => log.error({ err: error, name }, 'task failed'),
  });
  try {
    return await compose(config, log, scope, unwanted);
  } catch (error) {
    await scope.close(error);
    if (unwanted.aborted && error === unwanted.reason) return undefined;
    throw error;
  }
}

async function compose(config: Config, log: Logger, scope: Scope, unwanted: AbortSignal): Promise<App> {
  const clock = systemClock;
  await needPlaces(config);
  await needFolder('DATA_DIR', config.dataDir);
  await needFolder('CACHE_DIR', config.cacheDir);
  const catalogue = loadActionsOnce(config.actionsFile ?? DEMO_ACTIONS, join(config.cacheDir, 'actions'));
  const actions = actionsOf(catalogue);
  const sipConfig = new ConfigWatch(
    {
      directory: config.sipConfig.directory ?? SIP_CONFIG_DIR,
      env: config.sipConfig.env,
      known: { actions: actions.map(({ name }) => name), voices: Object.keys(VOICES), languages: LANGUAGES },
    },
    log,
    ({ bots: profiles }) => {
      frontEnd.outbound.reconfigured();
      void scope.run('prompts', async () => {
        await warm(profiles.values(), synthesizer);
        await warmAnswers(profiles.values(), synthesizer, catalogue);
      });
      prepareEars(ears, bots, config.recall.words);
    },
  );
  scope.onClose('sip-config', () => sipConfig.close());
  const registry = new CallRegistry(log);
  const speech = config.botProfile === 'bank';

  // Independent of each other, and each takes its time: started together, closed in reverse order.
  const { admin, store, bankUrl, media, ears, synthesizer, encoder } = await together({
    // Told as soon as it is made: should this start fail, the next one finds it there and does not tell it.
    admin: adminToken(config.adminToken, config.dataDir, (file, token) => {
      process.stderr.write(`\nThe admin token, printed this once (kept in ${file}): ${token}\n\n`);
    }),
    store: opened(scope, 'store', openStore(config, log)),
    bankUrl: bankAddress(config, log, scope),
    media: opened(scope, 'media', startMedia(config, speech, log)),
    encoder:
      config.recording.format === 'opus'
        ? opened(scope, 'recording-encoder', RecordingEncoder.start(config.recording.keys, log))
        : Promise.resolve(undefined),
    ears: opened(scope, 'recogniser', startRecognizer(config, log)),
    synthesizer: opened(
      scope,
      'synthesizer',
      FliteSynthesizer.start({
        // Beside the main thread, as long as there are cores for them.
        workers: Math.max(1, availableParallelism() - 1),
        voice: config.tts.voice,
        keepIn: join(config.cacheDir, 'prompts'),
        log,
      }),
    ),
  });
  unwanted.throwIfAborted();
  const { recognizer } = ears;
  await warm(sipConfig.current.bots.values(), synthesizer);

  const bank = new HttpBankClient({ baseUrl: bankUrl, apiKey: config.bank.apiKey, log, clock });
  const model = await languageModel(config, log);
  const bots = new Bots({
    profiles: () => sipConfig.current.bots,
    catalogue,
    openDesk: (call, actions) => new BankingDesk({ ...call, actions, bank, ledger: store.ledger, clock }),
  });
  prepareEars(ears, bots, config.recall.words);
  const tracer = config.sip.trace === undefined ? undefined : new SipTracer(config.sip.trace);
  const recordings = new Recordings({ dataDir: config.dataDir, ...config.recording, encoder, log });
  if (encoder) {
    const left = { dataDir: config.dataDir, recordings, shelf: store, since: clock.wall(), log };
    void scope.run('recordings left', async (signal) => void (await encodeLeftRecordings(left, signal)));
  }
  const transcript = laterTranscript({
    store,
    ears,
    bots,
    recordings,
    registry,
    recallWords: config.recall.words,
    log,
  });
  void scope.run('transcripts', (signal) => transcript.run(signal));
  const callScope = scope.child('calls');
  const engines = { time: systemTimekeeper, recognizer, synthesizer, model };
  const calls: Calls = new Calls(
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
      onUntranscribed: (line) => transcript.add(line),
      sipTraces: tracer,
      endpointing: endpointingBy(config),
      idle: { ...DEFAULT_IDLE, promptAfterMs: config.idleMs },
      contextTtlMs: config.contextTtlMs,
      dialler: () => frontEnd.dialler,
      recall: config.recall,
      handover: {
        plan: () => sipConfig.current.handover,
        room: new WaitingRoom(),
        webhook: new Webhook(clock, log),
        takePersonOf: (leg) => calls.takePersonOf(leg),
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
  if (sipConfig.current.supervisors) await synthesizer.warm(Object.values(SUPERVISOR_WORDS), { lasting: true });
  void scope.run('answers', () => warmAnswers(sipConfig.current.bots.values(), synthesizer, catalogue));

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
    receiveDelayMs: () => frontEnd.receiveDelayMs,
    retryAfterSeconds: RETRY_AFTER_S,
    registered: (request, flow) => frontEnd.outbound.owner(request, flow),
    clock,
    log,
  });
  scope.onClose('admission', () => admission.close());
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
    dialCounter: store.dials,
    browserTrunk: () => sipConfig.current.trunks.find(({ browser }) => browser),
    tap: tracer,
    log,
  });
  const orders = callingOut({
    config,
    sipConfig,
    store,
    dialler: frontEnd.dialler,
    bots,
    calls,
    engines,
    catalogue,
    admission,
    log,
  });
  const metrics = metricsOf({ calls, registry, store, media, ears, transcript, admission, frontEnd }, scope);
  let draining = false;
  const checks = healthChecks({ frontEnd, media, recognizer, synthesizer, sipConfig, store, bank, model });
  const http = await startWeb(
    {
      config,
      sipConfig,
      store,
      registry,
      calls,
      supervision,
      phones,
      // should it fail, the call will tell
      expectBrowser: () => void media.expectDtls().catch(() => undefined),
      admission,
      frontEnd,
      orders,
      checks,
      metrics,
      adminToken: admin,
      draining: () => draining,
      log,
    },
    scope,
  );
  // Nobody has called yet: what comes now would be turned away again.
  unwanted.throwIfAborted();
  await frontEnd.start((leg) => (leg.supervisor ? supervision.accept(leg) : calls.accept(leg)));
  scope.onClose('sip', () => frontEnd.close());
  scope.onClose('orders', () => orders.close());
  orders.start();
  sipConfig.watch();

  log.info({ sip: frontEnd.bound, http: http.address, profile: config.botProfile, model: model.name }, 'ready');

  let stopping: Promise<void> | undefined;
  const hurried = Promise.withResolvers<void>();
  return {
    calls: () => calls.size,
    hurry: () => void calls.drain(0, 0).then(hurried.resolve),
    reload: () => void sipConfig.reload(),
    stop() {
      stopping ??= (async () => {
        draining = true;
        frontEnd.drain();
        void orders.close();
        await Promise.race([calls.drain(config.drainMs, config.drainMs === 0 ? 0 : GOODBYE_MS), hurried.promise]);
        // Whoever is left hears a BYE now, acknowledged or not, and has its record before the database goes.
        const closed = frontEnd.close().catch((error: unknown) => log.error({ err: error }, 'SIP did not close'));
        await doneWithin(
          OVER_MS,
          closed.then(() => calls.over()),
        );
        await scope.close('stop');
      })();
      return stopping;
    },
  };
}

async function bankAddress(config: Config, log: Logger, scope: Scope): Promise<string> {
  if (config.bank.url !== undefined) return config.bank.url;
  return (await opened(scope, 'demo bank', launchDemoBank({ apiKey: config.bank.apiKey, log }))).url;
}
