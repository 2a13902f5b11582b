import { Counter, Gauge, type Registry } from 'prom-client';
import type { OutboundDesk } from '../outbound.ts';

/** Figures of gateways and registrations, read when they are scraped. */
export function outboundMetrics(registry: Registry, desk: OutboundDesk): void {
  const registers = [registry];
  new Gauge({
    name: 'voice_gateway_up',
    help: '1 while a gateway is tried in its turn; 0 while it rests, failed a moment ago or answers no OPTIONS',
    labelNames: ['gateway'],
    registers,
    collect() {
      this.reset();
      for (const { name, state } of desk.gateways()) this.set({ gateway: name }, state === 'up' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'voice_gateway_calls',
    help: 'Calls out that are dialled or up',
    labelNames: ['gateway'],
    registers,
    collect() {
      this.reset();
      for (const { name, calls } of desk.gateways()) this.set({ gateway: name }, calls);
    },
  });
  new Gauge({
    name: 'voice_gateway_calls_day',
    help: 'Calls out dialled in the last 24 hours',
    labelNames: ['gateway'],
    registers,
    collect() {
      this.reset();
      for (const { name, callsToday } of desk.gateways()) this.set({ gateway: name }, callsToday);
    },
  });
  new Counter({
    name: 'voice_gateway_calls_total',
    help: 'Calls out by outcome',
    labelNames: ['gateway', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { name, outcomes } of desk.gateways()) {
        for (const [outcome, count] of Object.entries(outcomes)) this.inc({ gateway: name, outcome }, count);
      }
    },
  });
  new Gauge({
    name: 'voice_registration_up',
    help: '1 while the registrar knows us',
    labelNames: ['registration'],
    registers,
    collect() {
      this.reset();
      for (const { name, registered } of desk.registrations()) this.set({ registration: name }, registered ? 1 : 0);
    },
  });
}
