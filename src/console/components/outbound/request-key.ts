import { useRef } from 'react';

/**
 * The Idempotency-Key of what a form sends: the same for the same contents until they were taken. Whether or not an
 * answer was lost, pressing the button again does not call anybody twice.
 */
export function useRequestKey(): { of(contents: string): string; done(): void } {
  const attempt = useRef({ contents: '', key: '' });
  return {
    of(contents) {
      if (attempt.current.contents !== contents) attempt.current = { contents, key: randomKey() };
      return attempt.current.key;
    },
    done() {
      attempt.current = { contents: '', key: '' };
    },
  };
}

/** randomUUID is only there over https and on this machine. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
