import type { CallDetail } from '../api/types.ts';
import { plain, words } from '../format.ts';

/** What an engineer asks for when a customer complains: the ids that lead to logs and traces. */
export function CallFacts({ call }: { call: CallDetail }) {
  const facts: [string, string][] = [
    ['Caller as received', call.callerIdentity],
    ['Called', call.calledNumber],
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
