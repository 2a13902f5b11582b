import { type Connector, startConnector } from '../../../tests/support/connector.ts';

/** The systems that are compared: the connector as it is, and what simple systems do. */
export const VARIANTS = {
  adaptive: { ENDPOINTING: 'adaptive' },
  'fixed 300': { ENDPOINTING: 'fixed', ENDPOINTING_FIXED_MS: '300' },
  'fixed 700': { ENDPOINTING: 'fixed', ENDPOINTING_FIXED_MS: '700' },
} as const;
export type Variant = keyof typeof VARIANTS;
export const OURS: Variant = 'adaptive';
export const BASELINES: readonly Variant[] = ['fixed 300', 'fixed 700'];

/** One connector process per variant, each with its own database and bank, started when first needed. */
export class Connectors {
  readonly #running = new Map<Variant, Promise<Connector>>();

  get(variant: Variant): Promise<Connector> {
    const known = this.#running.get(variant);
    if (known) return known;
    const started = startConnector({ ...VARIANTS[variant], LOG_LEVEL: 'info' });
    this.#running.set(variant, started);
    started.catch(() => this.#running.delete(variant));
    return started;
  }

  /** Ends all of them. Idempotent. */
  async stop(): Promise<void> {
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(running.map(async (starting) => (await starting.catch(() => undefined))?.stop()));
  }
}
