import { fileURLToPath } from 'node:url';
import type { Registry } from 'prom-client';
import type { Calls } from '../call/calls.ts';
import type { OrderDesk } from '../call/orders/order-desk.ts';
import type { CallRegistry } from '../call/registry.ts';
import type { SupervisionDesk } from '../call/supervision/supervision-desk.ts';
import type { Config } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Scope } from '../core/scope.ts';
import type { Admission } from '../frontends/admission/admission.ts';
import { browserDesk } from '../frontends/embedded/browser-desk.ts';
import type { EmbeddedFrontEnd } from '../frontends/embedded/embedded-front-end.ts';
import type { BrowserPhones } from '../frontends/trunks/browser-phones.ts';
import type { ConfigWatch } from '../frontends/trunks/config-watch.ts';
import { createHttpServer, type HealthCheck } from '../http/index.ts';
import { TlsCredentials } from '../sip/transport/tls-credentials.ts';
import type { PostgresStore } from '../store/postgres/store.ts';

const CONSOLE_DIR = fileURLToPath(new URL('../../dist/console', import.meta.url));

export interface WebParts {
  config: Config;
  sipConfig: ConfigWatch;
  store: PostgresStore;
  registry: CallRegistry;
  calls: Calls;
  supervision: SupervisionDesk;
  phones: BrowserPhones;
  /** Called when a browser is about to call. */
  expectBrowser(): void;
  admission: Admission;
  frontEnd: EmbeddedFrontEnd;
  orders: OrderDesk;
  checks: HealthCheck[];
  metrics: Registry;
  adminToken: string;
  draining(): boolean;
  log: Logger;
}

/** The API and the page, until the scope is closed. */
export async function startWeb(parts: WebParts, scope: Scope): Promise<{ address: string }> {
  const { config, sipConfig, store, registry, calls, supervision, phones, admission, frontEnd, orders, log } = parts;
  const certificates = config.http.tls && new TlsCredentials(config.http.tls, log);
  certificates?.watch();
  scope.onClose('http-certificates', () => certificates?.close());
  const http = await createHttpServer({
    host: config.http.host,
    port: config.http.port,
    certificates,
    proxies: config.http.proxies,
    adminToken: parts.adminToken,
    archive: store.archive,
    registry,
    dataDir: config.dataDir,
    recordingKeys: config.recording.keys,
    retention: store,
    consoleDir: CONSOLE_DIR,
    checks: parts.checks,
    metrics: parts.metrics,
    log,
    live: calls,
    phones: browserDesk({
      phones,
      registrar: frontEnd.phones,
      config: () => sipConfig.current,
      bound: () => frontEnd.bound,
      onIssued: parts.expectBrowser,
    }),
    outbound: {
      orders,
      campaigns: store.campaigns,
      bots: () => sipConfig.current.bots,
      hoursKnown: (name) => sipConfig.current.hours.has(name),
      gatewayKnown: (name) => sipConfig.current.gateways.some((gateway) => gateway.name === name),
      now: () => systemClock.wall(),
    },
    supervision,
    admission,
    waysOut: frontEnd.outbound,
    draining: parts.draining,
  });
  scope.onClose('http', () => http.close());
  return http;
}
