import type { FastifyInstance } from 'fastify';
import type { CallArchive } from '../../call/record/records.ts';
import type { LiveCalls } from '../live-calls.ts';
import { HttpProblem } from '../problems.ts';
import { sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import { notLive } from './calls.ts';

/** Keeping a part of a live call out of its recording: it is silence there, and the times stay right. */
export function pauseRoutes(app: FastifyInstance, archive: CallArchive, live: Pick<LiveCalls, 'pauseRecording'>): void {
  for (const [action, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    app.post<{ Params: { sessionId: string } }>(
      `/calls/:sessionId/recording/${action}`,
      {
        schema: {
          operationId: `${action}Recording`,
          summary: paused ? 'Keeps both sides out of the recording from now on' : 'Records a live call again',
          tags: ['calls'],
          params: sessionIdParams,
          response: {
            200: { description: 'As it is now', type: 'object', properties: { paused: { type: 'boolean' } } },
            ...problems(400, 401, 403, 404, 409, 503),
          },
        },
      },
      async (request) => {
        const { sessionId } = request.params;
        const done = live.pauseRecording(sessionId, paused);
        if (done === 'not-recorded') throw new HttpProblem(409, 'Not recorded', 'Nothing of this call is recorded.');
        if (done === 'not-live') throw await notLive(archive, sessionId);
        request.log.info({ session_id: sessionId, paused }, 'recording paused or resumed');
        return { paused };
      },
    );
  }
}
