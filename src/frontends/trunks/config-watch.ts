import { type FSWatcher, watch } from 'node:fs';
import type { ConfigState } from '../../call/admission.ts';
import { asFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { loadSipConfig, type SipConfig, type SipConfigSource } from './sip-config.ts';

/** Editors write a file in several steps. */
const SETTLE_MS = 200;

/**
 * The configuration in force. It is read again when a file of the folder changes, and when asked; a mistake keeps the one
 * before and says why. Calls that are up keep what they began with.
 */
export class ConfigWatch {
  readonly #source: SipConfigSource;
  readonly #log: Logger;
  readonly #onChange: (config: SipConfig) => void;
  #current: SipConfig;
  #state: ConfigState;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @throws Failure bad-sip-config: there is nothing to go on with at the start */
  constructor(source: SipConfigSource, log: Logger, onChange: (config: SipConfig) => void = () => undefined) {
    this.#source = source;
    this.#log = log;
    this.#onChange = onChange;
    this.#current = loadSipConfig(source);
    this.#state = { version: this.#current.version, loadedAt: new Date(), error: undefined };
  }

  get current(): SipConfig {
    return this.#current;
  }

  get state(): ConfigState {
    return this.#state;
  }

  /** Reads again when files change, until closed. Where the file system tells no changes, `reload` is the way. */
  watch(): void {
    try {
      this.#watcher = watch(this.#source.directory, { persistent: false }, () => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.reload(), SETTLE_MS);
        this.#timer.unref();
      });
      this.#watcher.on('error', (error) => this.#log.warn({ err: error }, 'sip-config is not watched any more'));
    } catch (error) {
      this.#log.warn({ err: error }, 'sip-config is not watched: send SIGHUP after a change');
    }
  }

  /** True when what the files say now is in force. */
  reload(): boolean {
    let next: SipConfig;
    try {
      next = loadSipConfig(this.#source);
    } catch (error) {
      const { message } = asFailure(error);
      if (message !== this.#state.error)
        this.#log.error({ problems: message.split('\n') }, 'sip-config not taken over');
      this.#state = { ...this.#state, error: message };
      return false;
    }
    const { version } = next;
    const changed = version !== this.#current.version;
    this.#current = next;
    this.#state = { version, loadedAt: changed ? new Date() : this.#state.loadedAt, error: undefined };
    if (changed) this.#log.info({ version }, 'sip-config taken over');
    this.#onChange(next);
    return true;
  }

  /** For /ready: a bad edit degrades, it does not take the connector out of service. */
  async health(): Promise<{ ok: boolean; detail?: string }> {
    const { error, version } = this.#state;
    return error === undefined ? { ok: true, detail: `version ${version}` } : { ok: false, detail: error };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }
}
