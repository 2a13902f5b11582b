// For the HEALTHCHECK of a container, in its environment: exit code 0 when the connector is in service, not only alive.
// /ready is 503 while it drains or a part that calls need is down. Plain JavaScript of one request: it runs every few seconds.
import { isIPv6 } from 'node:net';

const { HTTP_HOST: host, HTTP_PORT: port, HTTP_TLS_CERT: certificate } = process.env;
const wildcard = !host || host === '0.0.0.0' || host === '::';
const address = wildcard ? '127.0.0.1' : isIPv6(host) ? `[${host}]` : host;
// The certificate is for the name that others know us by.
if (certificate) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const url = `${certificate ? 'https' : 'http'}://${address}:${port || 8080}/ready`;
const ready = await fetch(url, { signal: AbortSignal.timeout(2500) }).then(
  (response) => response.ok,
  () => false,
);
process.exit(ready ? 0 : 1);
