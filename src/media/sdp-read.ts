import { type MediaDescription, parse, type SessionDescription } from 'sdp-transform';
import { Failure } from '../core/errors.ts';
import type { RemoteAudio } from './ports.ts';

/** What one audio m-line of the peer says that concerns us. */
export interface AudioDescription {
  /** Index of its m-line. */
  index: number;
  protocol: string;
  address: string;
  port: number;
  /** Supported G.711 formats in the peer's order of preference. */
  codecs: { codec: 'PCMU' | 'PCMA'; payloadType: number }[];
  telephoneEvent: number | undefined;
  comfortNoise: number | undefined;
  ptimeMs: number;
  /** From the peer's side. */
  sends: boolean;
  receives: boolean;
}

export interface MediaLine {
  type: string;
  protocol: string;
  /** The format list as it stood. */
  formats: string;
  port: number;
}

export interface PeerDescription {
  lines: MediaLine[];
  audio: AudioDescription | undefined;
}

export function refuse(message: string): Failure {
  return new Failure(message, { code: 'not-acceptable-here', blame: 'caller', sipStatus: 488 });
}

/** Reads an offer or answer. Throws Failure 488 when it is no SDP. */
export function readSdp(sdp: string): PeerDescription {
  const session = parseSdp(sdp);
  const lines = session.media.map((media) => ({
    type: String(media.type),
    protocol: String(media.protocol),
    formats: String(media.payloads ?? '0'),
    port: Number(media.port),
  }));
  const index = session.media.findIndex((media, i) => usableAudio(media, session, i) !== undefined);
  const media = session.media[index];
  return { lines, audio: media === undefined ? undefined : usableAudio(media, session, index) };
}

function parseSdp(sdp: string): SessionDescription {
  let session: SessionDescription;
  try {
    session = parse(sdp);
  } catch (cause) {
    throw new Failure('the session description cannot be parsed', {
      code: 'not-acceptable-here',
      blame: 'caller',
      sipStatus: 488,
      cause,
    });
  }
  const well = session.media.every((m) => m.type !== undefined && Number.isInteger(m.port) && m.port <= 65535);
  if (session.version !== 0 || session.media.length === 0 || !well)
    throw refuse('the session description is malformed');
  return session;
}

/** Undefined for anything but live audio over plain RTP in G.711. */
function usableAudio(
  media: MediaDescription,
  session: SessionDescription,
  index: number,
): AudioDescription | undefined {
  if (media.type !== 'audio' || media.port === 0) return undefined;
  if (media.protocol !== 'RTP/AVP' && media.protocol !== 'RTP/AVPF') return undefined;
  const connection = media.connection ?? session.connection;
  if (connection === undefined) return undefined;
  const address = connection.ip.split('/')[0]!;
  const formats = readFormats(media);
  if (formats.codecs.length === 0) return undefined;
  const direction = media.direction ?? session.direction ?? 'sendrecv';
  // RFC 2543 spelled hold as the null address; RFC 3264 section 8.4 asks to understand it still.
  const nowhere = address === '0.0.0.0' || address === '::';
  return {
    index,
    protocol: media.protocol,
    address,
    port: media.port,
    ...formats,
    ptimeMs: packetTime(media),
    sends: direction === 'sendrecv' || direction === 'sendonly',
    receives: (direction === 'sendrecv' || direction === 'recvonly') && !nowhere,
  };
}

function readFormats(media: MediaDescription): Pick<AudioDescription, 'codecs' | 'telephoneEvent' | 'comfortNoise'> {
  const codecs: AudioDescription['codecs'] = [];
  let telephoneEvent: number | undefined;
  let comfortNoise: number | undefined;
  for (const format of String(media.payloads ?? '').split(' ')) {
    const payloadType = Number(format);
    if (format === '' || !Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) continue;
    const map = media.rtp.find((rtp) => rtp.payload === payloadType);
    const name = map === undefined ? STATIC_FORMATS[payloadType] : map.codec.toUpperCase();
    // Clock rate 8000 and one channel only: telephone-event is often offered at 48000 too.
    if (map !== undefined && ((map.rate ?? 8000) !== 8000 || (map.encoding ?? 1) !== 1)) continue;
    if (name === 'PCMU' || name === 'PCMA') codecs.push({ codec: name, payloadType });
    else if (name === 'TELEPHONE-EVENT') telephoneEvent ??= payloadType;
    else if (name === 'CN') comfortNoise ??= payloadType;
  }
  return { codecs, telephoneEvent, comfortNoise };
}

/** RFC 3551 table 4: these need no rtpmap. */
const STATIC_FORMATS: Record<number, string> = { 0: 'PCMU', 8: 'PCMA', 13: 'CN' };

/** The peer's wish in steps of 10 ms between 10 and 60; 20 when it has none. */
function packetTime(media: MediaDescription): number {
  const wish = Number(media.ptime ?? 20);
  const most = Number(media.maxptime ?? 60);
  const ms = Math.min(Number.isFinite(wish) ? wish : 20, Number.isFinite(most) ? most : 60);
  return Math.max(10, Math.min(60, Math.floor(ms / 10) * 10));
}

/** How we send to and hear the described peer, in one of its codecs. */
export function remoteAudio(audio: AudioDescription, chosen = audio.codecs[0]!): RemoteAudio {
  return {
    address: audio.address,
    port: audio.port,
    codec: chosen.codec,
    payloadType: chosen.payloadType,
    telephoneEventPayloadType: audio.telephoneEvent,
    comfortNoisePayloadType: audio.comfortNoise,
    ptimeMs: audio.ptimeMs,
    send: audio.receives,
    receive: audio.sends,
  };
}
