/** Why there is no microphone, in words for the person at the browser. */
class MicrophoneError extends Error {}

const REASONS: Record<string, string> = {
  NotAllowedError:
    'The browser does not let this page use the microphone. Allow it beside the address, and call again.',
  NotFoundError: 'No microphone was found. Connect one, and call again.',
  NotReadableError: 'The microphone cannot be used: another program may be holding it.',
};

/** May the page open the microphone without asking anybody? False where the browser does not tell. */
export async function microphoneIsAllowed(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: 'microphone' })).state === 'granted';
  } catch {
    return false;
  }
}

/** Asks for the microphone. @throws MicrophoneError whose message is fit to be shown */
export async function openMicrophone(): Promise<MediaStream> {
  // Browsers hide it from pages that came over a network in the clear.
  if (!navigator.mediaDevices) {
    throw new MicrophoneError('A browser gives its microphone to pages from this machine or over HTTPS only.');
  }
  try {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    return await navigator.mediaDevices.getUserMedia({ audio, video: false });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    throw new MicrophoneError(REASONS[name] ?? `The microphone cannot be opened (${name || 'unknown reason'}).`);
  }
}
