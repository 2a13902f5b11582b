import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { LogSink } from './log-sink.ts';

export type { Logger } from 'pino';

/** Fields that never leave the process, at any depth a logger call of ours can produce. */
const SECRET_PATHS = ['pin', 'password', 'token', 'authorization', 'apiKey', 'headers', 'cardNumber', 'parameters'];

export interface LogOptions {
  level: string;
  service?: string;
  destination?: DestinationStream;
}

/**
 * JSON lines with timestamp, level, service, session_id, sip_call_id, correlation_id, message. Children made with
 * `log.child({ session_id, sip_call_id, correlation_id })` carry the call's identity.
 */
export function createLogger(options: LogOptions): Logger {
  const service = options.service ?? 'sip-voice-connector';
  return pino(
    {
      level: options.level,
      base: { service },
      messageKey: 'message',
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"timestamp"'),
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS.flatMap((path) => [path, `*.${path}`]), censor: '[redacted]' },
    },
    options.destination ?? standardOutput(service),
  );
}

function standardOutput(service: string): DestinationStream {
  const sink = new LogSink({
    fd: 1,
    lost: (lines) => {
      const facts = { level: 'warn', timestamp: new Date().toISOString(), service, lines };
      return `${JSON.stringify({ ...facts, message: 'log lines were lost: they could not be written' })}\n`;
    },
  });
  process.once('exit', () => sink.end());
  return sink;
}

export const silentLogger: Logger = pino({ level: 'silent' });
