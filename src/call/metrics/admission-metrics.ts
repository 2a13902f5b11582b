import { Counter, Gauge, type Registry } from 'prom-client';
import type { AdmissionDesk } from '../admission.ts';

/** The gate's figures, read when they are scraped. */
export function admissionMetrics(registry: Registry, desk: AdmissionDesk): void {
  const registers = [registry];
  new Counter({
    name: 'voice_admission_accepted_total',
    help: 'INVITEs let in',
    registers,
    collect() {
      this.reset();
      this.inc(desk.status().accepted);
    },
  });
  new Counter({
    name: 'voice_admission_refused_total',
    help: 'Requests refused or left without an answer, by reason',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(desk.status().refused)) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'voice_admission_closed',
    help: '1 while no new calls are taken: stopped, draining or overloaded',
    labelNames: ['state'],
    registers,
    collect() {
      const { state } = desk.status();
      for (const one of ['stopped', 'draining', 'overloaded']) this.set({ state: one }, state === one ? 1 : 0);
    },
  });
  new Gauge({
    name: 'voice_admission_waiting',
    help: 'Calls that wait until there is time for them',
    registers,
    collect() {
      this.set(desk.status().waiting);
    },
  });
  new Gauge({
    name: 'voice_blocked_sources',
    help: 'Sources that are answered with silence',
    registers,
    collect() {
      this.set(desk.status().blockedSources);
    },
  });
  new Gauge({
    name: 'voice_trunk_calls',
    help: 'Calls of each trunk',
    labelNames: ['trunk'],
    registers,
    collect() {
      this.reset();
      for (const { name, calls } of desk.trunks().trunks) this.set({ trunk: name }, calls);
    },
  });
  new Counter({
    name: 'voice_trunk_calls_total',
    help: 'INVITEs of each trunk, accepted or refused',
    labelNames: ['trunk', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { name, accepted, refused } of desk.trunks().trunks) {
        this.inc({ trunk: name, outcome: 'accepted' }, accepted);
        this.inc({ trunk: name, outcome: 'refused' }, refused);
      }
    },
  });
}
