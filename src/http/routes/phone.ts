import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PHONE_NAME, type PhoneDesk, type PhoneGrant, type PhonePlace } from '../../call/phone-desk.ts';
import type { Arrival } from '../forwarded.ts';
import { HttpProblem } from '../problems.ts';
import { phoneSession } from '../schemas/operations.ts';
import { object, text, time } from '../schemas/parts.ts';
import { problems } from '../schemas/problems.ts';

/** What a browser needs to call the bot: an address and credentials that are good for a while. */
export function phoneRoute(app: FastifyInstance, desk: PhoneDesk): void {
  app.get(
    '/phones',
    {
      schema: {
        operationId: 'listPhones',
        summary: 'Phones in browsers that take calls, by the names they are called by (`phone:anna`)',
        tags: ['calls'],
        response: {
          200: {
            description: 'Those that can be called now',
            ...object({ phones: { type: 'array', items: object({ name: text, since: time }) } }),
          },
          ...problems(401),
        },
      },
    },
    async () => ({ phones: desk.registered().map(({ name, since }) => ({ name, since: since.toISOString() })) }),
  );

  app.post<{ Body: { as?: string } | undefined }>(
    '/phone-sessions',
    {
      schema: {
        operationId: 'openPhoneSession',
        summary: 'Credentials for a phone in the browser',
        description: [
          'SIP over WebSocket with DTLS-SRTP. The credentials are digest credentials (MD5) for calls that begin before',
          '`expiresAt`; a call that is up is not asked again. They are good at this instance only. With `as` they are for a',
          'phone that takes calls (REGISTER), for twelve hours, and can call nobody.',
        ].join(' '),
        tags: ['calls'],
        body: {
          type: ['object', 'null'],
          additionalProperties: false,
          properties: {
            as: {
              type: 'string',
              pattern: `^${PHONE_NAME}$`,
              description: 'The name it is called by: `phone:anna` in hand-over queues and POST …/transfer',
            },
          },
        },
        response: {
          201: { description: 'A phone may call, or be called', ...phoneSession },
          ...problems(400, 401, 403, 409),
        },
      },
    },
    async (request, reply) => {
      const name = request.body?.as;
      const grant: PhoneGrant = name === undefined ? { may: 'call' } : { may: 'be-called', name };
      return reply.code(201).send(phoneSessionFor(phoneLine(desk, request), grant));
    },
  );
}

/** Phones that the browser behind a request can use. */
export interface PhoneLine {
  desk: PhoneDesk;
  realm: string;
  webSocket: string;
}

/** @throws HttpProblem 409 where browsers cannot call */
export function phoneLine(desk: PhoneDesk | undefined, request: FastifyRequest): PhoneLine {
  const place = desk?.place(request.protocol === 'https');
  if (desk === undefined || place === undefined) {
    throw new HttpProblem(
      409,
      'No phones in browsers',
      'SIP over WebSocket is not listened to (SIP_WS_PORT, SIP_WSS_PORT), or no trunk of sip-config/ says browser: true.',
    );
  }
  return { desk, realm: place.realm, webSocket: webSocketOf(place, request.host) };
}

/** What a phone in the browser is let in with, as the API answers it. */
export function phoneSessionFor({ desk, realm, webSocket }: PhoneLine, grant: PhoneGrant) {
  const { username, password, expiresAt } = desk.issue(grant);
  return { username, password, realm, webSocket, expiresAt: expiresAt.toISOString() };
}

/** For the page's content policy: the WebSocket it may open besides its own origin. */
export function phoneSource(desk: PhoneDesk, { secure, host }: Arrival): string | undefined {
  const place = desk.place(secure);
  return place && webSocketOf(place, host);
}

function webSocketOf({ webSocket }: PhonePlace, hostHeader: string | undefined): string {
  const own = `http://${hostHeader ?? 'localhost'}`;
  const host = webSocket.host ?? (URL.canParse(own) ? new URL(own).hostname : 'localhost');
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `${webSocket.secure ? 'wss' : 'ws'}://${name}:${webSocket.port}`;
}
