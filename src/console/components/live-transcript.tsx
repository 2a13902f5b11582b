import { useCall } from '../hooks/use-call.ts';
import { Transcript } from './transcript.tsx';

/** What is being said in a call, as it is said. */
export function LiveTranscript({ sessionId }: { sessionId: string }) {
  const { call, error } = useCall(sessionId);
  if (!call && error) {
    return (
      <section className="panel">
        <p className="empty" role="alert">
          What is said cannot be shown: {error.message}
        </p>
      </section>
    );
  }
  if (!call) return <section className="panel" aria-busy="true" />;
  const origin = new Date(call.answerTime ?? call.callStartTime).getTime();
  return <Transcript call={call} origin={origin} speaking={undefined} onSeek={undefined} />;
}
