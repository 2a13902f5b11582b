import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { PhoneDesk, PhonePlace } from '../../call/phone-desk.ts';
import { HttpProblem } from '../problems.ts';
import { phoneSession } from '../schemas/operations.ts';
import { problems } from '../schemas/problems.ts';

/** What a browser needs to call the bot: an address and credentials that are good for a while. */
export function phoneRoute(app: FastifyInstance, desk: PhoneDesk): void {
  app.post(
    '/phone-sessions',
    {
      schema: {
        operationId: 'openPhoneSession',
        summary: 'Credentials for a phone in the browser',
        description: [
          'SIP over WebSocket with DTLS-SRTP. The credentials are digest credentials (MD5) for calls that begin before',
          '`expiresAt`; a call that is up is not asked again. They are good at this instance only.',
        ].join(' '),
        tags: ['calls'],
        response: { 201: { description: 'A phone may call', ...phoneSession }, ...problems(401, 403, 409, 429) },
      },
    },
    async (request, reply) => {
      const place = desk.place(request.protocol === 'https');
      if (place === undefined) {
        throw new HttpProblem(
          409,
          'No phones in browsers',
          'SIP over WebSocket is not listened to (SIP_WS_PORT, SIP_WSS_PORT), or no trunk of sip-config/ says browser: true.',
        );
      }
      const { username, password, expiresAt } = desk.issue();
      return reply.code(201).send({
        username,
        password,
        realm: place.realm,
        webSocket: addressOf(place, request),
        expiresAt: expiresAt.toISOString(),
      });
    },
  );
}

/** For the page's content policy: the WebSocket it may open besides its own origin. */
export function phoneSource(desk: PhoneDesk, hostHeader: string | undefined): string | undefined {
  const place = desk.place(false);
  return place && webSocketOf(place, hostHeader);
}

function addressOf(place: PhonePlace, request: FastifyRequest): string {
  return webSocketOf(place, request.headers.host);
}

function webSocketOf({ webSocket }: PhonePlace, hostHeader: string | undefined): string {
  const own = `http://${hostHeader ?? 'localhost'}`;
  const host = webSocket.host ?? (URL.canParse(own) ? new URL(own).hostname : 'localhost');
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `${webSocket.secure ? 'wss' : 'ws'}://${name}:${webSocket.port}`;
}
