import { Registerer, RegistererState, type UserAgent } from 'sip.js';
import { api } from '../api/client.ts';
import { connectAgent } from './agent.ts';
import type { BrowserPhone } from './browser-phone.ts';

/** `off`: no calls come. `lost`: it was ready, and tries to be again. */
export interface StationView {
  state: 'off' | 'connecting' | 'ready' | 'lost';
  /** `phone:<name>` rings here. */
  name: string;
  message: string | undefined;
}

const EXPIRES_S = 120;
const RETRY_MS = 3000;
const OFF: StationView = { state: 'off', name: '', message: undefined };

/** The page's phone as one that takes calls: signed in under a name until it is signed out or the page is left. */
export class Station {
  readonly #phone: BrowserPhone;
  readonly #changed: () => void;
  #view = OFF;
  #agent: UserAgent | undefined;
  #retry: number | undefined;
  #turn = 0;

  constructor(phone: BrowserPhone, changed: () => void) {
    this.#phone = phone;
    this.#changed = changed;
  }

  get view(): StationView {
    return this.#view;
  }

  signIn(name: string): void {
    if (this.#view.state === 'off') void this.#connect(name, 'connecting');
  }

  signOut(message?: string): void {
    this.#stop();
    this.#show({ ...OFF, message });
  }

  async #connect(name: string, state: 'connecting' | 'lost'): Promise<void> {
    const turn = ++this.#turn;
    this.#show({ state, name, message: undefined });
    const lost = () => {
      if (turn === this.#turn) this.#again(name);
    };
    // Who has not been ready yet is told why; who was, waits for better times.
    const failed = (message: string) => {
      if (turn !== this.#turn) return;
      if (state === 'connecting') this.signOut(message);
      else lost();
    };
    try {
      const place = await api.phoneSession(name);
      const agent = await connectAgent(place, this.#phone.microphone, {
        onInvite: (invitation) => this.#phone.ring(invitation),
        onDisconnect: (error) => error && lost(),
      });
      if (turn !== this.#turn) {
        void agent.stop().catch(() => undefined);
        return;
      }
      this.#agent = agent;
      const registerer = new Registerer(agent, { expires: EXPIRES_S, refreshFrequency: 50 });
      registerer.stateChange.addListener((now) => {
        if (turn !== this.#turn) return;
        if (now === RegistererState.Registered) this.#show({ state: 'ready', name, message: undefined });
        else if (this.#view.state === 'ready') lost();
      });
      const refused = () => failed('The connector did not let this phone take calls.');
      await registerer.register({ requestDelegate: { onReject: refused } });
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }

  #again(name: string): void {
    this.#stop();
    this.#show({ state: 'lost', name, message: undefined });
    this.#retry = window.setTimeout(() => void this.#connect(name, 'lost'), RETRY_MS);
  }

  #stop(): void {
    this.#turn++;
    window.clearTimeout(this.#retry);
    const agent = this.#agent;
    this.#agent = undefined;
    // Takes the registration back first.
    void agent?.stop().catch(() => undefined);
  }

  #show(view: StationView): void {
    this.#view = view;
    this.#changed();
  }
}
