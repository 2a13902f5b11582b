import type { Page } from 'playwright-core';

/** What `listenTo` puts into a page. */
declare global {
  interface Window {
    heard: { at: number; level: number }[];
  }
}

/**
 * From its next load on, the page keeps what it plays of its calls: how loud (0 to 1), and when (epoch milliseconds), every
 * 5 ms. Its microphone is taken as it is, so that a tone stays a tone.
 */
export async function listenTo(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.heard = [];
    const listen = (track: MediaStreamTrack) => {
      const context = new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 256 });
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      const timer = setInterval(() => {
        if (track.readyState === 'ended') {
          clearInterval(timer);
          void context.close();
          return;
        }
        analyser.getFloatTimeDomainData(samples);
        window.heard.push({ at: Date.now(), level: samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0) });
        window.heard.splice(0, window.heard.length - 4000);
      }, 5);
    };
    const Original = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Original {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        this.addEventListener('track', ({ track }) => listen(track));
      }
    };
    const { mediaDevices } = navigator;
    if (!mediaDevices) return;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = () =>
      open({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  });
}

/** The loudest the page has played since `epochMs`. */
export function loudestSince(page: Page, epochMs: number): Promise<number> {
  return page.evaluate(
    (since) => window.heard.filter(({ at }) => at > since).reduce((most, { level }) => Math.max(most, level), 0),
    epochMs,
  );
}
