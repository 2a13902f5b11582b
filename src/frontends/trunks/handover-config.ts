import { DEFAULT_PROMPTS, type HandoverPlan, type HandoverQueue } from '../../call/handover/handover-plan.ts';
import { phoneNamed } from '../../call/legs/dialler.ts';
import type { HandoverEntry } from './handover-schema.ts';
import { type Hours, isOpen } from './hours.ts';
import type { Note } from './note.ts';
import type { Environment } from './secrets.ts';

export interface HandoverNames {
  hours: ReadonlyMap<string, Hours>;
  gateways: ReadonlyMap<string, unknown>;
  env: Environment;
}

export const NO_HANDOVER: HandoverPlan = { queues: new Map(), standard: undefined };

/** From the form to the meaning; what leads nowhere is noted with its place. */
export function compileHandover(entry: HandoverEntry, names: HandoverNames, note: Note): HandoverPlan {
  const queues = new Map<string, HandoverQueue>();
  for (const [index, one] of entry.queues.entries()) {
    const noteHere: Note = (path, message) => note(['queues', index, ...path], message);
    if (queues.has(one.name)) noteHere(['name'], `there is another queue "${one.name}"`);
    queues.set(one.name, compileQueue(one, names, noteHere));
  }
  if (entry.default !== undefined && !queues.has(entry.default)) {
    note(['default'], `there is no queue "${entry.default}"`);
  }
  return { queues, standard: entry.default === undefined ? undefined : queues.get(entry.default) };
}

function compileQueue(
  { name, targets, hours: hoursName, briefing, prompts, ...entry }: HandoverEntry['queues'][number],
  { hours, gateways, env }: HandoverNames,
  note: Note,
): HandoverQueue {
  const open = hoursName === undefined ? undefined : hours.get(hoursName);
  if (hoursName !== undefined && open === undefined) note(['hours'], `there are no hours "${hoursName}"`);
  const seen = new Set<string>();
  for (const [index, target] of targets.entries()) {
    if (seen.has(target.name)) note(['targets', index, 'name'], `there is another target "${target.name}"`);
    seen.add(target.name);
    if (target.to.startsWith('phone:')) {
      if (phoneNamed(target.to) === undefined) note(['targets', index, 'to'], 'must have a name behind phone:');
      if (target.how !== 'auto' && target.how !== 'bridge') {
        note(['targets', index, 'how'], 'a phone in a browser can only be bridged');
      }
    }
    if (target.gateway !== undefined && !gateways.has(target.gateway)) {
      note(['targets', index, 'gateway'], `there is no gateway "${target.gateway}"`);
    }
  }
  const { spoken, acceptKey, declineKey, waitSeconds, header, webhook } = briefing;
  const secret = webhook && env[webhook.secret];
  if (webhook && !secret) note(['briefing', 'webhook', 'secret'], `the environment has no ${webhook.secret}`);
  return {
    name,
    targets: targets.map(({ ringSeconds, how, gateway, ...target }) => ({
      ...target,
      gateway,
      way: how,
      ringMs: ringSeconds * 1000,
    })),
    places: entry.places,
    maxWaitMs: entry.maxWaitSeconds * 1000,
    retryMs: entry.retrySeconds * 1000,
    isOpen: (at) => open === undefined || isOpen(open, at),
    announceMs: entry.announceSeconds && entry.announceSeconds * 1000,
    sound: entry.sound,
    leaveKey: entry.leaveKey ?? undefined,
    briefing: {
      spoken: spoken ? { acceptKey, declineKey, waitMs: waitSeconds * 1000 } : undefined,
      header,
      webhook: webhook && { url: webhook.url, secret: secret ?? '' },
    },
    maxHoldMs: entry.maxHoldSeconds * 1000,
    afterwards: entry.afterwards,
    prompts: { ...DEFAULT_PROMPTS, ...(prompts as Partial<typeof DEFAULT_PROMPTS>) },
  };
}
