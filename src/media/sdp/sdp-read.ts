import { Failure } from '../../core/errors.ts';
import { CODEC_NAMES, type CodecName } from '../codecs/codec.ts';
import { codecNamed } from '../codecs/index.ts';
import type { RemoteAudio } from '../ports.ts';
import type { AudioDescription, MediaTransport, OfferedCodec } from './audio-description.ts';
import { readCrypto } from './sdp-crypto.ts';
import { readDtls, readIce } from './sdp-dtls.ts';
import { readLines, type SdpMedia, type SdpPart, type SdpSession } from './sdp-lines.ts';

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
  /** Why the first audio line that could be heard is not served. */
  refused: { why: string; code: Refusal } | undefined;
}

/** Media lines of one description. A conference offers a dozen. */
const MOST_LINES = 32;

/** What of a description cannot be served: the same as the warn-codes 302 and 305 of RFC 3261 section 20.43. */
export type Refusal = 'incompatible-transport' | 'incompatible-format' | 'not-acceptable-here';

export function refuse(message: string, code: Refusal = 'not-acceptable-here'): Failure {
  return new Failure(message, { code, blame: 'caller', sipStatus: 488 });
}

/** Why there is no audio we can serve: for the refusal. */
export function refuseAudio(peer: PeerDescription): Failure {
  if (peer.refused) return refuse(peer.refused.why, peer.refused.code);
  const audio = peer.lines.filter(({ type, port }) => type === 'audio' && port > 0);
  if (audio.length === 0) return refuse('no audio stream');
  if (audio.some(({ protocol }) => transportOf(protocol))) {
    return refuse('no common audio format', 'incompatible-format');
  }
  return refuse(`transport ${audio[0]!.protocol} is not supported`, 'incompatible-transport');
}

const TRANSPORTS: Readonly<Record<string, MediaTransport>> = {
  'RTP/AVP': 'plain',
  'RTP/AVPF': 'plain',
  'RTP/SAVP': 'srtp',
  'RTP/SAVPF': 'srtp',
  'UDP/TLS/RTP/SAVP': 'dtls',
  'UDP/TLS/RTP/SAVPF': 'dtls',
};

function transportOf(protocol: string): MediaTransport | undefined {
  return Object.hasOwn(TRANSPORTS, protocol) ? TRANSPORTS[protocol] : undefined;
}

/** How well a line can be served, above 0, or why it cannot. */
export type Judge = (audio: AudioDescription) => number | { why: string; code: Refusal };

/**
 * Reads an offer or answer: of its audio lines the one that can be served best, or the first of those. `allowed`: the codecs
 * in use. Throws Failure 488 when it is no SDP.
 */
export function readSdp(sdp: string, allowed: readonly CodecName[] = CODEC_NAMES, judge: Judge): PeerDescription {
  // Each is read with what the session says: without a bound an offer of many would hold up all other calls.
  if (sdp.split(/[\r\n]m=/, MOST_LINES + 2).length > MOST_LINES + 1)
    throw refuse(`more than ${MOST_LINES} media lines`);
  const session = parseSdp(sdp);
  const peer: PeerDescription = {
    lines: session.media.map((media) => ({
      type: media.type,
      protocol: media.protocol,
      formats: media.payloads ?? '0',
      port: media.port,
    })),
    audio: undefined,
    refused: undefined,
  };
  let best = 0;
  for (const [index, media] of session.media.entries()) {
    const audio = usableAudio(media, session, index, allowed);
    if (audio === undefined) continue;
    const worth = judge(audio);
    if (typeof worth !== 'number') peer.refused ??= worth;
    else if (worth > best) {
      best = worth;
      peer.audio = audio;
    }
  }
  return peer;
}

/** Values of an attribute: of the m-line, else of the session. Empty for one that has none, as a=ice-lite. */
function attributesOf(media: SdpPart, session: SdpPart): (name: string) => string[] {
  return (name) => media.attributes.get(name) ?? session.attributes.get(name) ?? [];
}

function parseSdp(sdp: string): SdpSession {
  const session = readLines(sdp);
  const well = session.media.every((media) => media.type !== '' && Number.isInteger(media.port) && media.port <= 65535);
  if (session.version !== 0 || session.media.length === 0 || !well)
    throw refuse('the session description is malformed');
  return session;
}

/** Undefined for anything but live audio over a kind of RTP, in a codec that is allowed. */
function usableAudio(
  media: SdpMedia,
  session: SdpSession,
  index: number,
  allowed: readonly CodecName[],
): AudioDescription | undefined {
  if (media.type !== 'audio' || media.port === 0) return undefined;
  const transport = transportOf(media.protocol);
  if (transport === undefined) return undefined;
  const connection = media.connection ?? session.connection;
  if (connection === undefined) return undefined;
  const address = connection.split('/')[0]!;
  const formats = readFormats(media, allowed);
  if (formats.codecs.length === 0) return undefined;
  const direction = media.direction ?? session.direction ?? 'sendrecv';
  // RFC 2543 spelled hold as the null address; RFC 3264 section 8.4 asks to understand it still.
  const attribute = attributesOf(media, session);
  const ice = readIce(attribute);
  // With ICE an address that is not known yet is written so too (RFC 8840 section 4.2.1.3).
  const nowhere = ice === undefined && (address === '0.0.0.0' || address === '::');
  const mid = attribute('mid')[0]?.trim();
  return {
    index,
    protocol: media.protocol,
    transport,
    crypto: readCrypto(media.lines),
    dtls: readDtls(attribute),
    ice,
    mid,
    bundled: (session.attributes.get('group') ?? []).some((group) => {
      const [semantics, ...mids] = group.trim().split(/\s+/);
      return semantics === 'BUNDLE' && mids.includes(mid ?? '');
    }),
    address,
    port: media.port,
    ...formats,
    ptimeMs: packetTime(media),
    rtcp: rtcpAddress(media),
    rtcpMux: media.rtcpMux,
    voipMetrics: attribute('rtcp-xr').some((formats) => /(?:^|\s)voip-metrics(?:\s|$)/.test(formats)),
    sends: direction === 'sendrecv' || direction === 'sendonly',
    receives: (direction === 'sendrecv' || direction === 'recvonly') && !nowhere,
  };
}

function readFormats(
  media: SdpMedia,
  allowed: readonly CodecName[],
): Pick<AudioDescription, 'codecs' | 'telephoneEvents' | 'comfortNoise'> {
  const codecs: OfferedCodec[] = [];
  const telephoneEvents: AudioDescription['telephoneEvents'] = [];
  let comfortNoise: number | undefined;
  const seen = new Set<number>();
  for (const format of (media.payloads ?? '').split(' ')) {
    const payloadType = Number(format);
    if (format === '' || !Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) continue;
    if (seen.has(payloadType)) continue;
    seen.add(payloadType);
    const map = media.maps.get(payloadType);
    const name = map === undefined ? STATIC_FORMATS[payloadType]?.toUpperCase() : map.codec.toUpperCase();
    const clockRate = map?.rate ?? 8000;
    const channels = map?.channels === undefined ? 1 : Number(map.channels);
    const own = allowed.find((codec) => codec.toUpperCase() === name);
    if (own !== undefined) {
      const codec = codecNamed(own);
      if (clockRate !== codec.clockRate || channels !== (codec.channels ?? 1)) continue;
      const format = media.formats.get(payloadType);
      codecs.push({ codec: own, payloadType, ...(format === undefined ? {} : { format }) });
    } else if (name === 'TELEPHONE-EVENT' && (clockRate === 8000 || clockRate === 48_000)) {
      telephoneEvents.push({ payloadType, clockRate });
    } else if (name === 'CN' && clockRate === 8000) comfortNoise ??= payloadType;
  }
  return { codecs, telephoneEvents, comfortNoise };
}

/** RFC 3551 table 4: these need no rtpmap. */
const STATIC_FORMATS: Record<number, string> = { 0: 'PCMU', 8: 'PCMA', 9: 'G722', 13: 'CN' };

function rtcpAddress(media: SdpMedia): AudioDescription['rtcp'] {
  const { rtcp } = media;
  if (rtcp === undefined || !Number.isInteger(rtcp.port) || rtcp.port < 1 || rtcp.port > 65_535) return undefined;
  return { port: rtcp.port, ...(rtcp.address === undefined ? {} : { address: rtcp.address }) };
}

/** The peer's wish in steps of 10 ms between 10 and 60; 20 when it has none. */
function packetTime(media: SdpMedia): number {
  const wish = Number(media.ptime ?? 20);
  const most = Number(media.maxptime ?? 60);
  const ms = Math.min(Number.isFinite(wish) ? wish : 20, Number.isFinite(most) ? most : 60);
  return Math.max(10, Math.min(60, Math.floor(ms / 10) * 10));
}

/** How we send to and hear the described peer, in one of its codecs. */
export function remoteAudio(audio: AudioDescription, chosen = audio.codecs[0]!): RemoteAudio {
  const { rtcp } = audio;
  const codec = codecNamed(chosen.codec);
  const [keysAs] = eventsBeside(audio, chosen.codec);
  return {
    address: audio.address,
    port: audio.port,
    ...chosen,
    telephoneEvents: audio.telephoneEvents,
    ...(keysAs && { keysAs }),
    ...(audio.comfortNoise === undefined ? {} : { comfortNoisePayloadType: audio.comfortNoise }),
    ptimeMs: codec.packetMs(audio.ptimeMs),
    rtcp: {
      ...(audio.rtcpMux
        ? { address: audio.address, port: audio.port, mux: true }
        : { address: rtcp?.address ?? audio.address, port: rtcp?.port ?? audio.port + 1, mux: false }),
      ...(audio.voipMetrics && { voipMetrics: true }),
    },
    send: audio.receives,
    receive: audio.sends,
  };
}

/** The events that go with a codec: those on its clock (RFC 4733 section 2.1), or what there is. */
export function eventsBeside(audio: AudioDescription, codec: CodecName): AudioDescription['telephoneEvents'] {
  const { clockRate } = codecNamed(codec);
  const matching = audio.telephoneEvents.find((event) => event.clockRate === clockRate) ?? audio.telephoneEvents[0];
  return matching === undefined ? [] : [matching];
}
