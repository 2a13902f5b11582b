import type { CallDetail } from '../api/types.ts';
import { plain, words } from '../format.ts';
import { lineFacts } from './line-quality.ts';

/** Where the call came from and who passed it on; nothing that is not there. */
function signallingFacts({ signalling, trunk }: CallDetail): [string, string][] {
  const facts: [string, string | undefined][] = [
    ['Trunk', trunk ?? undefined],
    ['Claimed to be', signalling?.claimed],
    ['Number withheld', signalling?.anonymous ? 'yes' : undefined],
    [
      'Passed on by',
      signalling?.diversions?.map(({ uri, reason }) => (reason ? `${uri} (${reason})` : uri)).join(', '),
    ],
    ['Called before', signalling?.history?.map(({ uri }) => uri).join(', ')],
    ['User to user', signalling?.userToUser?.map(({ value }) => value).join(', ')],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
}

/** What an engineer asks for when a customer complains: the ids that lead to logs and traces. */
export function CallFacts({ call }: { call: CallDetail }) {
  const facts: [string, string][] = [
    ['Caller as received', call.callerIdentity],
    ...signallingFacts(call),
    ['Called', call.calledNumber],
    ...lineFacts(call),
    ['Bot profile', `${call.botProfile} ${call.botProfileVersion}`],
    ...Object.entries(call.aiProviderConfig).map(([key, value]): [string, string] => [words(key), plain(value)]),
    ['Session', call.sessionId],
    ['SIP Call-ID', call.sipCallId],
    ['Correlation id', call.correlationId],
  ];
  return (
    <section className="panel" aria-labelledby="facts-title">
      <h2 id="facts-title">Details</h2>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
