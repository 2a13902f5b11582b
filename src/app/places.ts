import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import type { Config } from '../config.ts';
import { asFailure, codeOf, Failure } from '../core/errors.ts';
import { hostOf } from '../sip/message/uri.ts';
import type { Protocol } from '../sip/transport/flow.ts';

interface Place {
  protocol: Protocol | 'http';
  host: string;
  port: number;
}

const SETTING: Readonly<Record<Place['protocol'], string>> = {
  udp: 'SIP_PORT',
  tcp: 'SIP_PORT',
  tls: 'SIP_TLS_PORT',
  ws: 'SIP_WS_PORT',
  wss: 'SIP_WSS_PORT',
  http: 'HTTP_PORT',
};

/**
 * Sees to it that we can listen where we are to, before anything is made, started, or taken from a connector that runs
 * already. They are taken for good last of all, when calls can be answered.
 * @throws Failure bad-setting, naming the setting that takes another place
 */
export async function needPlaces({ sip, http }: Pick<Config, 'sip' | 'http'>): Promise<void> {
  const places: Place[] = [...sip.listen, { protocol: 'http', host: http.host, port: http.port }];
  for (const place of places) {
    // Any port will do.
    if (place.port === 0) continue;
    try {
      await (place.protocol === 'udp' ? bindUdp(place) : bindTcp(place));
    } catch (error) {
      throw unusable(place, error);
    }
  }
}

function bindUdp({ host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', ipv6Only: isIPv6(host) });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, host, () => socket.close(() => resolve()));
  });
}

function bindTcp({ host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: isIPv6(host) }, () => server.close(() => resolve()));
  });
}

function unusable({ protocol, host, port }: Place, error: unknown): Failure {
  const why: Record<string, string> = {
    EADDRINUSE: `another program listens there already; ${SETTING[protocol]} takes another port`,
    EACCES: `that port is not permitted; ${SETTING[protocol]} takes another, 1024 or above`,
    EADDRNOTAVAIL: `this machine does not have that address; see ${protocol === 'http' ? 'HTTP' : 'SIP'}_HOST`,
  };
  const where = `${protocol} ${hostOf(host)}:${port}`;
  const reason = why[codeOf(error) ?? ''] ?? asFailure(error).message;
  return new Failure(`cannot listen on ${where}: ${reason}`, { code: 'bad-setting', blame: 'us' });
}
