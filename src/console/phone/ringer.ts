/** Two short tones, then silence: not to be taken for the tone of a line. */
const HZ = 660;
const EVERY_MS = 3000;
const SHARE = 0.12;

/** Rings until the returned function is called. Silent where the browser allows no sound yet. */
export function startRinging(): () => void {
  const context = new AudioContext();
  const ring = () => {
    for (const at of [0, 0.4]) {
      const tone = new OscillatorNode(context, { frequency: HZ });
      const gain = new GainNode(context, { gain: SHARE });
      tone.connect(gain).connect(context.destination);
      tone.start(context.currentTime + at);
      tone.stop(context.currentTime + at + 0.25);
    }
  };
  ring();
  const timer = window.setInterval(ring, EVERY_MS);
  return () => {
    window.clearInterval(timer);
    void context.close().catch(() => undefined);
  };
}
