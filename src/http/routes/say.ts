import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { type Announcement, defaultMode } from '../../call/bot/say.ts';
import type { CallArchive } from '../../call/record/records.ts';
import type { LiveCalls } from '../live-calls.ts';
import { HttpProblem } from '../problems.ts';
import { sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import { sayRequest, sayResponse } from '../schemas/say.ts';
import { notLive } from './calls.ts';

interface SayBody {
  text: string;
  priority: number;
  mode?: Announcement['mode'];
  interruptible: boolean;
}

const RETRY_AFTER_S = '5';

/** Speaking in a live call on request of integrators and staff. */
export function sayRoute(app: FastifyInstance, archive: CallArchive, live: Pick<LiveCalls, 'say'>): void {
  app.post<{ Params: { sessionId: string }; Body: SayBody }>(
    '/calls/:sessionId/say',
    {
      schema: {
        operationId: 'sayInCall',
        summary: 'Says something to the caller of a live call',
        description: [
          'The text is spoken in the bot’s voice and stands in the transcript with what the caller heard of it',
          '(speaker assistant, source say:api). Events tell its way: `say-requested`, and `say-unspoken` when the call',
          'ended first; `replaced` for what it cut.',
        ].join(' '),
        tags: ['calls'],
        params: sessionIdParams,
        body: sayRequest,
        response: {
          202: { description: 'Taken; it will be said at its moment', ...sayResponse },
          ...problems(400, 401, 403, 404, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params;
      const { text, priority, interruptible, mode = defaultMode(priority) } = request.body;
      const utteranceId = randomUUID();
      switch (live.say(sessionId, { id: utteranceId, text, priority, mode, interruptible })) {
        case 'taken':
          // Not the text: what is said to customers stands in the transcript, not in the log.
          request.log.info({ session_id: sessionId, utterance_id: utteranceId, priority, mode }, 'say taken');
          return reply.code(202).send({ sessionId, utteranceId });
        case 'full':
          throw new HttpProblem(429, 'Too much to say', 'Twenty texts wait to be said in this call already.', {
            'retry-after': RETRY_AFTER_S,
          });
        case 'silent':
          throw new HttpProblem(409, 'No bot speaks', 'No bot speaks in this call: it is being set up or ended.');
        case 'not-live':
          throw await notLive(archive, sessionId);
      }
    },
  );
}
