import type { FastifyInstance } from 'fastify';
import type { CallArchive } from '../../call/record/records.ts';
import { type SipTrace, unpackLadder } from '../../call/record/sip-ladder.ts';
import type { CallRegistry } from '../../call/registry.ts';
import type { LiveCalls } from '../live-calls.ts';
import { notFound } from '../problems.ts';
import { sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import { sipLadder } from '../schemas/sip.ts';
import { ladderText, ladderView } from '../sip-ladder.ts';
import { pcapOf } from '../sip-pcap.ts';
import { noSuchCall } from './calls.ts';

export interface SipRoutesOptions {
  archive: CallArchive;
  registry: CallRegistry;
  live?: Pick<LiveCalls, 'sipTrace'> | undefined;
}

/** The SIP messages of a call: as data, as a ladder to read, as a capture file. */
export function sipRoutes(app: FastifyInstance, { archive, registry, live }: SipRoutesOptions): void {
  async function find(sessionId: string): Promise<SipTrace> {
    const running = registry.isActive(sessionId) ? live?.sipTrace(sessionId) : undefined;
    if (running !== undefined) return running;
    const record = await archive.sipLadder(sessionId);
    if (record !== undefined) return unpackLadder(record);
    if ((await archive.get(sessionId)) === undefined) throw noSuchCall();
    return { messages: [], dropped: 0 };
  }
  const schema = { tags: ['calls'], params: sessionIdParams };
  const failures = problems(400, 401, 404, 503);

  app.get<{ Params: { sessionId: string } }>(
    '/calls/:sessionId/sip',
    {
      schema: {
        ...schema,
        operationId: 'getSipMessages',
        summary: 'Every SIP message of all legs of the call, without secrets (each byte of one is an x)',
        response: { 200: { description: 'The messages in the order of time', ...sipLadder }, ...failures },
      },
    },
    async ({ params: { sessionId } }) => ladderView(sessionId, await find(sessionId)),
  );

  app.get<{ Params: { sessionId: string } }>(
    '/calls/:sessionId/sip.txt',
    {
      schema: {
        ...schema,
        operationId: 'getSipLadder',
        summary: 'The SIP messages of the call as a ladder in plain text',
        response: {
          200: { description: 'The ladder', content: { 'text/plain': { schema: { type: 'string' } } } },
          ...failures,
        },
      },
    },
    async ({ params: { sessionId } }, reply) =>
      reply.type('text/plain; charset=utf-8').send(ladderText(await find(sessionId))),
  );

  app.get<{ Params: { sessionId: string } }>(
    '/calls/:sessionId/sip.pcap',
    {
      schema: {
        ...schema,
        operationId: 'getSipCapture',
        summary: 'The SIP messages of the call as a capture file for Wireshark, tshark or sngrep',
        response: {
          200: {
            description: 'A pcap file; TLS and WebSocket are opened',
            content: { 'application/vnd.tcpdump.pcap': { schema: { type: 'string', format: 'binary' } } },
          },
          ...failures,
        },
      },
    },
    async ({ params: { sessionId } }, reply) => {
      const { messages } = await find(sessionId);
      if (messages.length === 0) throw notFound('No SIP messages of this call are kept.');
      const file = pcapOf(messages);
      reply.header('content-disposition', `attachment; filename="call-${sessionId}.pcap"`);
      return reply.type('application/vnd.tcpdump.pcap').send(file);
    },
  );
}
