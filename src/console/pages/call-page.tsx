import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { type ApiError, api } from '../api/client.ts';
import type { CallDetail, Utterance } from '../api/types.ts';
import { CallFacts } from '../components/call-facts.tsx';
import { CallHeader } from '../components/call-header.tsx';
import { Notice } from '../components/notice.tsx';
import { RecordingPlayer } from '../components/recording-player.tsx';
import { ResponseTimes } from '../components/response-times.tsx';
import { SayBox } from '../components/say-box.tsx';
import { SipLadder } from '../components/sip-ladder.tsx';
import { Timeline } from '../components/timeline.tsx';
import { Transactions } from '../components/transactions.tsx';
import { Transcript } from '../components/transcript.tsx';
import { TransferBox } from '../components/transfer-box.tsx';
import { party } from '../format.ts';
import { useCall } from '../hooks/use-call.ts';
import { usePlayer } from '../hooks/use-player.ts';

/** Brings the SIP user agent along: only for calls that go on. */
const SupervisePanel = lazy(() =>
  import('../components/supervise-panel.tsx').then(
    (module) => ({ default: module.SupervisePanel }),
    () => ({ default: NoSupervisePanel }),
  ),
);

export function CallPage({ sessionId, onClose }: { sessionId: string; onClose: () => void }) {
  const { call, error, retry } = useCall(sessionId);
  useEffect(() => {
    if (call) document.title = `${party(call)} · Calls`;
  }, [call]);

  if (!call && error) {
    const gone = error.status === 404;
    return (
      <main className="call-pane">
        <Notice
          alone
          tone="error"
          title={gone ? 'There is no such call' : 'The call cannot be shown'}
          text={gone ? 'It may have been deleted, or the address is incomplete.' : error.message}
          action={gone ? 'Back to the list' : 'Try again'}
          onAction={gone ? onClose : retry}
        />
      </main>
    );
  }
  return (
    <main className="call-pane" aria-busy={!call}>
      {call ? <Call call={call} onClose={onClose} /> : <p className="list-foot">Reading the call…</p>}
    </main>
  );
}

function Call({ call, onClose }: { call: CallDetail; onClose: () => void }) {
  const player = usePlayer(call.recording?.durationMs ?? 0);
  const { utterances, recording } = call;
  // The recording begins when the call is answered.
  const origin = new Date(call.answerTime ?? call.callStartTime).getTime();
  const speaking = useMemo(
    () => (player.playing || player.at > 0 ? utteranceAt(utterances, origin + player.at) : undefined),
    [utterances, origin, player.at, player.playing],
  );
  const [hangUpError, setHangUpError] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);

  return (
    <>
      <CallHeader
        call={call}
        headingRef={heading}
        onClose={onClose}
        onHangUp={() => {
          setHangUpError('');
          api.hangUp(call.sessionId).catch((error: ApiError) => setHangUpError(error.message));
        }}
      />
      {hangUpError && (
        <p className="banner" role="alert">
          {hangUpError}
        </p>
      )}
      {!call.archived && (
        <p className="banner" role="status">
          The archive is away: transactions and older parts of this call are not shown for now.
        </p>
      )}
      <div className="call-body">
        <div className="call-main">
          {recording && <RecordingPlayer sessionId={call.sessionId} recording={recording} player={player} />}
          <Transcript
            call={call}
            origin={origin}
            speaking={speaking}
            onSeek={recording ? (ms) => player.seek(ms, true) : undefined}
          />
          {call.live && <SayBox sessionId={call.sessionId} />}
          {call.live && <TransferBox call={call} />}
          {call.live && (
            <Suspense fallback={null}>
              <SupervisePanel sessionId={call.sessionId} changes={call.events.length} />
            </Suspense>
          )}
        </div>
        <aside className="call-side" aria-label="About this call">
          <ResponseTimes utterances={utterances} />
          <Transactions transactions={call.transactions} live={call.live} />
          <Timeline events={call.events} start={new Date(call.callStartTime).getTime()} />
          <SipLadder sessionId={call.sessionId} live={call.live} changes={call.events.length} />
          <CallFacts call={call} />
        </aside>
      </div>
    </>
  );
}

/** A page that was opened before the connector was renewed asks for a file that is no more. */
function NoSupervisePanel(_: { sessionId: string; changes: number }) {
  return (
    <p className="panel empty" role="alert">
      To supervise, reload this page.
    </p>
  );
}

function utteranceAt(utterances: Utterance[], time: number): string | undefined {
  let found: Utterance | undefined;
  for (const one of utterances) if (new Date(one.startedAt).getTime() <= time + 50) found = one;
  return found?.utteranceId;
}
