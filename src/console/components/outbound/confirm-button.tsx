import { useState } from 'react';

export interface ConfirmButtonProps {
  /** What the button says, and what it is about for who cannot see where it stands. */
  label: string;
  about: string;
  question: string;
  onConfirm: () => void;
}

const focus = (element: HTMLElement | null) => element?.focus();

/** For what cannot be taken back: asks once more. Escape means no. */
export function ConfirmButton({ label, about, question, onConfirm }: ConfirmButtonProps) {
  const [sure, setSure] = useState(false);
  if (!sure) {
    return (
      <button type="button" className="button danger" aria-label={`${label} ${about}`} onClick={() => setSure(true)}>
        {label}
      </button>
    );
  }
  return (
    <fieldset className="confirm" onKeyDown={(event) => event.key === 'Escape' && setSure(false)}>
      <legend>{question}</legend>
      <button
        type="button"
        className="button danger solid"
        onClick={() => {
          setSure(false);
          onConfirm();
        }}
      >
        Yes
      </button>
      <button type="button" className="button" ref={focus} onClick={() => setSure(false)}>
        No
      </button>
    </fieldset>
  );
}
