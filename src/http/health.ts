import { monotonicNow } from '../core/clock.ts';

/** A part the connector depends on, and how to ask whether it works. */
export interface HealthCheck {
  name: string;
  /** An optional part that is down degrades the connector but does not take it out of service. */
  required: boolean;
  check(): Promise<{ ok: boolean; detail?: string }>;
}

export interface DependencyState {
  name: string;
  required: boolean;
  state: 'up' | 'down';
  latencyMs: number;
  detail?: string;
}

export interface Readiness {
  status: 'ready' | 'degraded' | 'draining' | 'down';
  dependencies: DependencyState[];
}

/**
 * Asks every dependency at once, each for `limitMs` at most. A check that hangs is not started again while it hangs,
 * so a probe every second does not pile up connections to a database that is away.
 */
export class ReadinessChecks {
  readonly #checks: readonly HealthCheck[];
  readonly #limitMs: number;
  readonly #running = new Map<HealthCheck, Promise<{ ok: boolean; detail?: string }>>();

  constructor(checks: readonly HealthCheck[], limitMs = 1000) {
    this.#checks = checks;
    this.#limitMs = limitMs;
  }

  async run(draining: boolean): Promise<Readiness> {
    const dependencies = await Promise.all(this.#checks.map((check) => this.#ask(check)));
    const down = dependencies.filter((one) => one.state === 'down');
    if (draining) return { status: 'draining', dependencies };
    if (down.some((one) => one.required)) return { status: 'down', dependencies };
    return { status: down.length > 0 ? 'degraded' : 'ready', dependencies };
  }

  async #ask(check: HealthCheck): Promise<DependencyState> {
    const started = monotonicNow();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<{ ok: boolean; detail?: string }>((resolve) => {
      timer = setTimeout(() => resolve({ ok: false, detail: `no answer within ${this.#limitMs} ms` }), this.#limitMs);
    });
    const result = await Promise.race([this.#once(check), late]);
    clearTimeout(timer);
    const state: DependencyState = {
      name: check.name,
      required: check.required,
      state: result.ok ? 'up' : 'down',
      latencyMs: Math.round((monotonicNow() - started) * 10) / 10,
    };
    if (result.detail !== undefined) state.detail = result.detail;
    return state;
  }

  #once(check: HealthCheck): Promise<{ ok: boolean; detail?: string }> {
    const running = this.#running.get(check);
    if (running) return running;
    const started = Promise.resolve()
      .then(() => check.check())
      .catch((error: unknown) => ({ ok: false, detail: error instanceof Error ? error.message : String(error) }))
      .finally(() => this.#running.delete(check));
    this.#running.set(check, started);
    return started;
  }
}
