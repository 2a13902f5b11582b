import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

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
  return pino(
    {
      level: options.level,
      base: { service: options.service ?? 'sip-voice-connector' },
      messageKey: 'message',
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"timestamp"'),
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS.flatMap((path) => [path, `*.${path}`]), censor: '[redacted]' },
    },
    options.destination ?? pino.destination({ dest: 1, sync: false }),
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });
