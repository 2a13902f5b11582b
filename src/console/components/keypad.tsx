import { useEffect } from 'react';
import { isTyping } from '../input.ts';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
const NAMES: Record<string, string> = { '*': 'Star', '#': 'Hash' };

/** The keys of a telephone; the computer's own keys work as well while nothing is being written. */
export function Keypad({ onKey, disabled }: { onKey: (key: string) => void; disabled: boolean }) {
  useEffect(() => {
    if (disabled) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (isTyping(event) || event.repeat || event.ctrlKey || event.metaKey || !KEYS.includes(event.key)) return;
      onKey(event.key);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [onKey, disabled]);
  return (
    <fieldset className="keypad" disabled={disabled}>
      <legend className="visually-hidden">Keypad</legend>
      {KEYS.map((key) => (
        <button key={key} type="button" className="button" aria-label={NAMES[key] ?? key} onClick={() => onKey(key)}>
          {key}
        </button>
      ))}
    </fieldset>
  );
}
