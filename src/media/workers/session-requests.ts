import type { WorkerAnswer, WorkerRequest } from './worker-protocol.ts';
import type { WorkerSession } from './worker-session.ts';

/** What concerns one session, and nothing beside it. */
export type SessionRequest = Exclude<WorkerRequest, { type: 'open' | 'close' | 'hear' | 'worker-stats' | 'shutdown' }>;

/** Does it; `reply` is called, at once or later, where the request has an id. Throws when the session fails. */
export function forSession(
  request: SessionRequest,
  session: WorkerSession,
  reply: (id: number, value: WorkerAnswer) => void,
): void {
  if ('id' in request) ask(request, session, (value) => reply(request.id, value));
  else tell(request, session);
}

function ask(
  request: Extract<SessionRequest, { id: number }>,
  session: WorkerSession,
  reply: (value: WorkerAnswer) => void,
): void {
  switch (request.type) {
    case 'write':
      session.playout.write(request.turn, request.chunk, reply);
      break;
    case 'finish':
      session.playout.finish(request.turn, reply);
      break;
    case 'cut':
      reply(session.playout.cut(request.turn));
      break;
    case 'stats':
      reply(session.stats());
      break;
  }
}

function tell(request: Exclude<SessionRequest, { id: number }>, session: WorkerSession): void {
  switch (request.type) {
    case 'connect':
      session.connect(request.remote, request.source);
      if (request.record) session.record(request.record);
      break;
    case 'keys':
      session.line.key(request.keys);
      break;
    case 'send':
      session.line.sendDatagram(request.data, request.to);
      break;
    case 'listen':
      session.listen(request.port);
      break;
    case 'end-segment':
      session.endSegment();
      break;
    case 'arm':
      session.arm(request.armed);
      break;
    case 'record':
      session.record(request.spec);
      break;
    case 'mask':
      session.mask(request.masked, request.since);
      break;
    case 'silence':
      session.silence(request.from, request.to);
      break;
    case 'discard-recording':
      session.discardRecording();
      break;
    case 'pause-recording':
      session.pause(request.paused);
      break;
    case 'press':
      session.press(request.digit, request.durationMs);
      break;
    case 'watch-tones':
      session.watchTones(request.watched);
      break;
    case 'loop':
      session.loop(request.sound);
      break;
    case 'begin':
      session.playout.begin(request.turn);
      break;
    case 'restore':
      session.playout.queue.restore(request.turn);
      break;
    case 'resume':
      session.playout.resume(request.turn);
      break;
  }
}
