import { useEffect } from 'react';
import type { SupervisionMode } from '../api/types.ts';
import { duration } from '../format.ts';
import { useNow } from '../hooks/use-now.ts';
import type { Supervisor } from '../hooks/use-supervisor.ts';

const MODES: readonly { mode: SupervisionMode; name: string; agent?: boolean }[] = [
  { mode: 'listen', name: 'Listen' },
  { mode: 'whisper', name: 'Whisper', agent: true },
  { mode: 'join', name: 'Join', agent: true },
  { mode: 'take-over', name: 'Take over', agent: false },
];

const DOING: Record<SupervisionMode, string> = {
  listen: 'You listen. Nobody hears you.',
  whisper: 'The agent hears you, the caller does not.',
  join: 'Everybody hears you.',
  'take-over': 'The caller hears you. The bot is silent.',
};

/** Those that make sense: with an agent, or with the bot. */
export const modesFor = (agent: boolean) => MODES.filter((one) => one.agent === undefined || one.agent === agent);

export interface SupervisorControlsProps {
  supervisor: Supervisor;
  sessionId: string;
  /** Of the call, for who hears the buttons read out. */
  label: string;
  /** A person speaks with the caller. */
  agent: boolean;
  name: string;
}

/** Takes part in a call with this browser's microphone: how, and out again. */
export function SupervisorControls({ supervisor, sessionId, label, agent, name }: SupervisorControlsProps) {
  const { phone, view, place, settle } = supervisor;
  const { state, since, muted } = view;
  const here = place?.sessionId === sessionId ? place : undefined;
  const talking = here !== undefined && state === 'talking';
  const now = useNow(talking);
  useEffect(() => {
    if (talking) settle(agent);
  }, [talking, agent, settle]);
  const press = (mode: SupervisionMode) =>
    talking ? supervisor.change(mode) : supervisor.enter(sessionId, mode, name.trim());
  return (
    <fieldset className="supervisor-controls">
      <legend className="visually-hidden">{label}, with this browser</legend>
      <div className="supervise-modes">
        {modesFor(agent).map(({ mode, name: text }) => (
          <button
            key={mode}
            type="button"
            className="button"
            aria-pressed={here ? here.mode === mode : undefined}
            disabled={here !== undefined && !talking}
            onClick={() => press(mode)}
          >
            {mode === 'listen' && here?.mode === 'take-over' ? 'Give back' : text}
          </button>
        ))}
        {here && (
          <>
            <button
              type="button"
              className="button"
              aria-pressed={muted}
              disabled={!talking}
              onClick={() => phone.mute(!muted)}
            >
              {muted ? 'Unmute' : 'Mute'}
            </button>
            <button type="button" className="button danger" onClick={supervisor.leave}>
              Leave
            </button>
          </>
        )}
      </div>
      {here && (
        <p className={talking ? 'supervise-state on' : 'supervise-state'} role="status">
          {talking ? `${DOING[here.mode]} ` : 'Connecting…'}
          {talking && since !== undefined && <span className="muted">{duration(now - since)}</span>}
        </p>
      )}
    </fieldset>
  );
}
