import { Failure } from '../../core/errors.ts';

/**
 * How a supervisor takes part: hears all and is heard by nobody, by the agent only, by all beside the bot or the agent,
 * or by the caller in the bot's place.
 */
export const SUPERVISION_MODES = ['listen', 'whisper', 'join', 'take-over'] as const;
export type SupervisionMode = (typeof SUPERVISION_MODES)[number];

/** `agent`: a person speaks with the caller. @throws Failure 409 for a mode that makes no sense then */
export function mustMakeSense(mode: SupervisionMode, agent: boolean): void {
  if (mode === 'whisper' && !agent) throw conflict('no-agent', 'there is no agent to whisper to');
  if (mode === 'take-over' && agent) throw conflict('agent-speaks', 'a person speaks with the caller already: join');
}

/** What becomes of a mode when a person comes to the caller, or goes. */
export function settledMode(mode: SupervisionMode, agent: boolean): SupervisionMode {
  if (mode === 'whisper' && !agent) return 'listen';
  return mode === 'take-over' && agent ? 'join' : mode;
}

/** Does the caller hear a supervisor in this mode? */
export function speaksOut(mode: SupervisionMode): boolean {
  return mode === 'join' || mode === 'take-over';
}

function conflict(code: string, message: string): Failure {
  return new Failure(message, { code, blame: 'caller', sipStatus: 409 });
}
