/**
 * The demo bank as a process of its own: `node src/demo-bank/main.ts --port 0` prints one JSON line with its address
 * on stdout when it is ready, and logs to stderr.
 */
import { parseArgs } from 'node:util';
import { destination, pino, stdTimeFunctions } from 'pino';
import { createDemoBank } from './server.ts';

/** Known to everybody: it keeps nobody out, it only shows where a real key goes. */
const DEMO_API_KEY = 'demo-bank-key';

const HELP = `Options: --host 127.0.0.1, --port 8090 (0: any), --api-key KEY, --today YYYY-MM-DD, --lock-seconds 900,
--delay-ms 0, --fail-rate 0, --fail-status 503, --test-endpoints (opens /_test/faults, /_test/journal, /_test/reset),
--exit-with-parent (stops when the IPC channel or stdin closes), --log-level info`;

interface Settings {
  host: string;
  port: number;
  apiKey: string;
  today: string | undefined;
  lockMs: number;
  faults: { delayMs: number; failRate: number; status: number };
  testEndpoints: boolean;
  exitWithParent: boolean;
  logLevel: string;
}

function settingsOf(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8090' },
      'api-key': { type: 'string', default: DEMO_API_KEY },
      today: { type: 'string' },
      'lock-seconds': { type: 'string', default: '900' },
      'delay-ms': { type: 'string', default: '0' },
      'fail-rate': { type: 'string', default: '0' },
      'fail-status': { type: 'string', default: '503' },
      'test-endpoints': { type: 'boolean', default: false },
      'exit-with-parent': { type: 'boolean', default: false },
      'log-level': { type: 'string', default: 'info' },
    },
  });
  const { today } = values;
  if (today !== undefined && (!/^\d{4}-\d{2}-\d{2}$/.test(today) || Number.isNaN(Date.parse(today)))) {
    throw new Error(`--today ${today} is not a date (YYYY-MM-DD)`);
  }
  return {
    host: values.host,
    port: numberOf('port', values.port, 0, 65_535),
    apiKey: values['api-key'],
    today,
    lockMs: numberOf('lock-seconds', values['lock-seconds'], 0, 1e6) * 1000,
    faults: {
      delayMs: numberOf('delay-ms', values['delay-ms'], 0, 600_000),
      failRate: numberOf('fail-rate', values['fail-rate'], 0, 1),
      status: numberOf('fail-status', values['fail-status'], 400, 599),
    },
    testEndpoints: values['test-endpoints'],
    exitWithParent: values['exit-with-parent'],
    logLevel: values['log-level'],
  };
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new Error(`--${name} ${text} is not a number from ${min} to ${max}`);
  }
  return value;
}

async function run(settings: Settings): Promise<void> {
  const log = pino(
    {
      level: settings.logLevel,
      base: { service: 'demo-bank' },
      messageKey: 'message',
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"timestamp"'),
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['pin', '*.pin', 'authorization', '*.authorization'], censor: '[redacted]' },
    },
    destination({ dest: 2, sync: true }),
  );
  const bank = await createDemoBank({ ...settings, log });
  let stopping = false;
  const stop = (why: string) => {
    if (stopping) return;
    stopping = true;
    bank.close().then(
      () => {
        log.info({ why }, 'demo bank stopped');
        // Nothing is left to wait for but a parent's open pipe.
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ error: String(error) }, 'demo bank did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  if (settings.exitWithParent) {
    if (process.channel !== undefined && process.channel !== null) {
      process.channel.ref();
      process.on('disconnect', () => stop('parent is gone'));
    } else {
      process.stdin.on('end', () => stop('parent is gone'));
      process.stdin.on('error', () => stop('parent is gone'));
      process.stdin.resume();
    }
  }
  const listening = await bank.listen({ host: settings.host, port: settings.port });
  process.stdout.write(`${JSON.stringify({ listening })}\n`);
}

try {
  const args = process.argv.slice(2);
  if (args.includes('--help')) process.stdout.write(`${HELP}\n`);
  else await run(settingsOf(args));
} catch (error) {
  process.stderr.write(`demo bank: ${error instanceof Error ? error.message : String(error)}\n${HELP}\n`);
  process.exitCode = 1;
}
