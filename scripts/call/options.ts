import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../../src/core/errors.ts';
import { parseUri } from '../../tests/support/phone/sip-message.ts';
import { VOICES, type VoiceName } from '../../tests/support/phone/voice.ts';
import { type CallScript, parseScript, type Step } from './script.ts';

export const HELP = `npm run call [-- options]     phones the running connector and shows the conversation

  --demo                 a whole banking conversation with a barge-in (scripts/call/demo.yaml)
  --script FILE.yaml     a conversation of your own; docs/caller.md describes the format
  --say TEXT             say this, after the bot has spoken; repeat for more turns
  --wav FILE             say this recording (WAV, 8 or 16 kHz, 16 bit), in order with --say and --dtmf
  --dtmf KEYS            key this, in order with --say and --wav
  --to URI               default sip:bank@127.0.0.1:\${SIP_PORT:-5060}
  --from NUMBER          the caller's number, default +15550100
  --transport udp|tcp    default udp
  --voice NAME           ${VOICES.join(', ')}; default rms
  --host ADDRESS         local address for SIP and RTP, default the one that reaches --to
  --api URL              the connector's API, default http://127.0.0.1:\${HTTP_PORT:-8080}; --no-api: do without
  --token TOKEN          default ADMIN_TOKEN, or DATA_DIR/admin-token
  --save FILE.wav        stereo recording, left the caller, right the bot
  --json                 one JSON document at the end instead of the live view
  --trace                the SIP messages, after the call
  --help

Exit code 0: the conversation went as its script expects. 1: it did not. 2: wrong use. 3: no call came about.
`;

export interface CallOptions {
  readonly script: CallScript;
  /** Folder that WAV paths of the script are relative to. */
  readonly folder: string;
  readonly to: string;
  readonly from: string;
  readonly transport: 'udp' | 'tcp';
  readonly voice: VoiceName;
  readonly host: string | undefined;
  readonly api: string | undefined;
  readonly token: string | undefined;
  readonly save: string | undefined;
  readonly json: boolean;
  readonly trace: boolean;
}

const ARGUMENTS = {
  demo: { type: 'boolean' },
  script: { type: 'string' },
  say: { type: 'string', multiple: true },
  wav: { type: 'string', multiple: true },
  dtmf: { type: 'string', multiple: true },
  to: { type: 'string' },
  from: { type: 'string' },
  transport: { type: 'string' },
  voice: { type: 'string' },
  host: { type: 'string' },
  api: { type: 'string' },
  token: { type: 'string' },
  save: { type: 'string' },
  json: { type: 'boolean' },
  trace: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Undefined: help was asked for. Throws Failure code bad-use or bad-script with a message for people. */
export async function readOptions(
  args: string[],
  environment: NodeJS.ProcessEnv,
  directory: string,
): Promise<CallOptions | undefined> {
  const noApi = args.includes('--no-api');
  const parsed = parse(args.filter((arg) => arg !== '--no-api'));
  const { values } = parsed;
  if (values.help) return undefined;
  const { script, folder } = await chooseScript(parsed, directory);
  const transport = oneOf('transport', values.transport ?? script.transport ?? 'udp', ['udp', 'tcp'] as const);
  return {
    script,
    folder,
    to: sipUri(values.to ?? script.to ?? `sip:bank@127.0.0.1:${environment.SIP_PORT || 5060}`),
    from: values.from ?? script.from ?? '+15550100',
    transport,
    voice: oneOf('voice', values.voice ?? script.voice ?? 'rms', VOICES),
    host: values.host,
    api: noApi ? undefined : (values.api ?? `http://127.0.0.1:${environment.HTTP_PORT || 8080}`),
    token: values.token,
    save: values.save,
    json: values.json ?? false,
    trace: values.trace ?? false,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: ARGUMENTS, tokens: true });
  } catch (error) {
    throw badUse(error instanceof Error ? error.message : String(error));
  }
}

async function chooseScript(
  parsed: ReturnType<typeof parse>,
  directory: string,
): Promise<{ script: CallScript; folder: string }> {
  const { values, tokens } = parsed;
  const spoken = tokens.filter((token) => token.kind === 'option' && /^(say|wav|dtmf)$/.test(token.name));
  if ([values.demo, values.script, spoken.length > 0].filter(Boolean).length > 1) {
    throw badUse('--demo, --script and --say/--wav/--dtmf exclude each other');
  }
  if (spoken.length > 0) {
    const turns = spoken.flatMap((token): Step[] => {
      if (token.kind !== 'option' || token.value === undefined) return [];
      const turn: Step =
        token.name === 'say'
          ? { say: token.value }
          : token.name === 'wav'
            ? { say: { wav: token.value } }
            : { press: token.value };
      return [{ wait: { silence: 0.7, within: 12 } }, turn];
    });
    return { script: { steps: [...turns, { wait: { silence: 0.7, within: 12 } }, { hangup: {} }] }, folder: directory };
  }
  const shipped = join(import.meta.dirname, values.demo ? 'demo.yaml' : 'default.yaml');
  const file = values.script === undefined ? shipped : resolve(directory, values.script);
  const text = await readFile(file, 'utf8').catch(() => {
    throw badUse(`cannot read ${values.script ?? file}`);
  });
  return { script: parseScript(text, values.script ?? file), folder: dirname(file) };
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw badUse(`--${name}: one of ${allowed.join(', ')}`);
  return found;
}

function sipUri(text: string): string {
  try {
    parseUri(text);
    return text;
  } catch {
    throw badUse(`--to: ${text} is no SIP URI, such as sip:bank@127.0.0.1:5060`);
  }
}

function badUse(message: string): Failure {
  return new Failure(message, { code: 'bad-use', blame: 'caller' });
}
