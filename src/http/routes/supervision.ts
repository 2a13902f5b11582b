import type { FastifyInstance } from 'fastify';
import type { SupervisionMode } from '../../call/people/supervision-mode.ts';
import type { PhoneDesk } from '../../call/phone-desk.ts';
import type { CallArchive } from '../../call/record/records.ts';
import type { SupervisionRequest, SupervisionStatus } from '../../call/supervision/supervision-desk.ts';
import type { SupervisionView } from '../../call/supervision/supervisor.ts';
import { Failure } from '../../core/errors.ts';
import { HttpProblem, notFound } from '../problems.ts';
import { sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import {
  superviseChange,
  superviseRequest,
  supervision,
  supervisionParams,
  supervisionState,
  supervisionWithPhone,
} from '../schemas/supervision.ts';
import { noSuchCall } from './calls.ts';
import { phoneLine, phoneSessionFor } from './phone.ts';

/** People who listen to live calls, and speak in them; implemented by SupervisionDesk. */
export interface SupervisionRoutesDesk {
  supervise(sessionId: string, request: SupervisionRequest): Promise<SupervisionView>;
  change(sessionId: string, supervisionId: string, mode: SupervisionMode): SupervisionView;
  end(sessionId: string, supervisionId: string): void;
  status(): SupervisionStatus;
}

interface SuperviseBody extends Omit<SupervisionRequest, 'invite'> {
  phone?: true;
}

type Call = { Params: { sessionId: string } };
type One = { Params: { sessionId: string; supervisionId: string } };

export function supervisionRoutes(
  app: FastifyInstance,
  archive: CallArchive,
  desk: SupervisionRoutesDesk,
  phones?: PhoneDesk,
): void {
  app.get(
    '/supervision',
    {
      schema: {
        operationId: 'getSupervision',
        summary: 'Who supervises which call, who waits on the line, and the numbers by which calls are keyed',
        tags: ['supervision'],
        response: {
          200: { description: 'Now', ...supervisionState },
          ...problems(401),
        },
      },
    },
    async () => {
      const { supervisors, ...rest } = desk.status();
      return { ...rest, supervisors: supervisors.map(view) };
    },
  );

  app.post<Call & { Body: SuperviseBody }>(
    '/calls/:sessionId/supervise',
    {
      schema: {
        operationId: 'superviseCall',
        summary: 'Lets a person listen to a live call, or speak in it',
        description:
          'Events `supervision-*` of the call tell who listened when. 503 when the call or the line of supervisors is full.',
        tags: ['supervision'],
        params: sessionIdParams,
        body: superviseRequest,
        response: {
          202: {
            description: 'They are in the call, being dialled, or expected',
            ...supervisionWithPhone,
          },
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params;
      const { phone, ...rest } = request.body;
      const line = phone && phoneLine(phones, request);
      const asked = line ? { ...rest, invite: true } : rest;
      const done = await answered(() => desk.supervise(sessionId, asked), archive, sessionId);
      const { supervisionId, mode } = done;
      request.log.info({ session_id: sessionId, supervision_id: supervisionId, mode }, 'supervision asked for');
      const session = line && phoneSessionFor(line, { may: 'supervise', supervisionId });
      return reply.code(202).send({ ...view(done), ...(session && { phone: session }) });
    },
  );

  app.patch<One & { Body: { mode: SupervisionMode } }>(
    '/calls/:sessionId/supervise/:supervisionId',
    {
      schema: {
        operationId: 'changeSupervision',
        summary: 'Lets a supervisor take part in another way',
        tags: ['supervision'],
        params: supervisionParams,
        body: superviseChange,
        response: {
          200: { description: 'As it is now', ...supervision },
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async (request) => {
      const { sessionId, supervisionId } = request.params;
      const changed = await answered(
        async () => desk.change(sessionId, supervisionId, request.body.mode),
        archive,
        sessionId,
      );
      request.log.info(
        { session_id: sessionId, supervision_id: supervisionId, mode: changed.mode },
        'supervision changed',
      );
      return view(changed);
    },
  );

  app.delete<One>(
    '/calls/:sessionId/supervise/:supervisionId',
    {
      schema: {
        operationId: 'endSupervision',
        summary: 'Takes a supervisor out of a call; the bot speaks again where they had taken over',
        description: 'Who was dialled for it is hung up; who dialled in waits on the line.',
        tags: ['supervision'],
        params: supervisionParams,
        response: { 204: { description: 'Done', type: 'null' }, ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const { sessionId, supervisionId } = request.params;
      await answered(async () => desk.end(sessionId, supervisionId), archive, sessionId);
      request.log.info({ session_id: sessionId, supervision_id: supervisionId }, 'supervision ended');
      return reply.code(204).send();
    },
  );
}

/** The desk's answer, its refusals as the API's. */
async function answered<T>(ask: () => Promise<T>, archive: CallArchive, sessionId: string): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.sipStatus === 409) throw new HttpProblem(409, 'Not possible now', `${error.message}.`);
    if (error.sipStatus === 404) {
      if (error.code === 'call-not-live') {
        if (await archive.get(sessionId))
          throw new HttpProblem(409, 'Call is not live', 'Nobody can take part in this call.');
        throw noSuchCall();
      }
      throw notFound(`${error.message}.`);
    }
    if (error.sipStatus === 503) throw new HttpProblem(503, 'No room', `${error.message}.`, { 'retry-after': '5' });
    throw error;
  }
}

function view({ mode, sessionId, since, ...rest }: SupervisionView) {
  return { ...rest, mode: mode ?? null, sessionId: sessionId ?? null, since: since.toISOString() };
}
