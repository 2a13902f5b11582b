import { CODEC_NAMES, type Codec, type CodecName } from '../codecs/codec.ts';
import { codecNamed } from '../codecs/index.ts';
import type { Fingerprint } from '../dtls/fingerprint.ts';
import type { IceCredentials } from '../ice/ice-lite.ts';
import type { AudioSecurity, RemoteAudio } from '../ports.ts';
import type { AudioDescription, OfferedCodec } from './audio-description.ts';
import type { MediaPolicy } from './media-policy.ts';
import { eventsBeside, type MediaLine, readSdp, refuseAudio, remoteAudio } from './sdp-read.ts';
import { SecurityNegotiator } from './sdp-security.ts';

/** Our side of a session description. */
export interface LocalMedia {
  /** As the peer reaches us. */
  address: string;
  port: number;
  /** o= session id: decimal digits, the same for the whole dialog. */
  sessionId: string;
  /** o= version, one more with each changed description of the dialog (RFC 3264 section 8). Default 1. */
  version?: number;
  /** The codecs in use, in our order of preference, which rules in our own offers. Default: all. */
  codecs?: readonly CodecName[];
  /** Default: in the clear. */
  policy?: MediaPolicy;
  /** Of our certificate. Default: no DTLS. */
  fingerprint?: Fingerprint;
}

/** Our payload numbers for what has no static one, in our own offers. */
const OPUS_PAYLOAD_TYPE = 96;
/** RFC 3551 table 4. */
const COMFORT_NOISE_PAYLOAD_TYPE = 13;
const OFFERED_EVENTS = [
  { payloadType: 101, clockRate: 8000 },
  { payloadType: 102, clockRate: 48_000 },
] as const;

/** Both sides tell each other what they measured (RFC 3611 section 5). */
const VOIP_METRICS = 'a=rtcp-xr:voip-metrics';

/**
 * Answers an offer (RFC 3264): the first of the peer's formats that we speak, under the peer's payload number,
 * telephone-event on its clock and comfort noise when offered, the direction mirrored (all spellings of hold), its
 * ptime, rtcp-mux when offered, every other m-line refused with port 0. Throws Failure 488 when no audio of the offer
 * can be served.
 */
export function answerOffer(
  offer: string,
  local: LocalMedia,
  negotiator = new SecurityNegotiator(local.policy, local.fingerprint),
): { answer: string; remote: RemoteAudio } {
  const peer = readSdp(offer, local.codecs, (audio) => negotiator.judge(audio));
  if (peer.audio === undefined) throw refuseAudio(peer);
  const audio = only(peer.audio, peer.audio.codecs[0]!);
  const { sessionLines, lines, security, ice } = negotiator.answer(audio, local);
  const remote = quieted(secured(remoteAudio(audio), security, ice), local.policy);
  const blocks = peer.lines.map((line, i) =>
    i === audio.index ? [...acceptedAudio(audio, remote.ptimeMs, local.port), ...lines] : refused(line),
  );
  return { answer: describe(local, blocks, sessionLines), remote };
}

/** Our own offer, for an INVITE without one: our codecs in our order, telephone-event on their clocks, 20 ms. */
export function makeOffer(
  local: LocalMedia,
  negotiator = new SecurityNegotiator(local.policy, local.fingerprint),
): string {
  const { protocol, sessionLines, lines } = negotiator.offer(local);
  const codecs = (local.codecs ?? CODEC_NAMES).map(codecNamed);
  const formats = codecs.map((codec) => ({ codec: codec.name, payloadType: payloadTypeOf(codec) }));
  const events = OFFERED_EVENTS.filter(({ clockRate }) => codecs.some((codec) => codec.clockRate === clockRate));
  const noise = local.policy?.comfortNoise ? [COMFORT_NOISE_PAYLOAD_TYPE] : [];
  const numbers = [...[...formats, ...events].map(({ payloadType }) => payloadType), ...noise];
  const audio = [
    `m=audio ${local.port} ${protocol} ${numbers.join(' ')}`,
    ...formats.flatMap(formatLines),
    ...events.flatMap(eventLines),
    ...noise.map(noiseLine),
    'a=ptime:20',
    'a=sendrecv',
    'a=rtcp-mux',
    VOIP_METRICS,
    ...lines,
  ];
  return describe(local, [audio], sessionLines);
}

/**
 * Reads the peer's answer to makeOffer(). The peer may send any format it named, under our numbers (RFC 3264 section
 * 6.1) or, as some do, its own. Throws Failure 488 when it refuses our audio or answers something else.
 */
export function acceptAnswer(
  answer: string,
  codecs?: readonly CodecName[],
  negotiator = new SecurityNegotiator(),
): RemoteAudio {
  const peer = readSdp(answer, codecs, () => 1);
  const { audio } = peer;
  if (audio === undefined || audio.index !== 0) throw refuseAudio(peer);
  const accepts = audio.codecs.flatMap(({ codec, payloadType }) => [
    { codec, payloadType },
    { codec, payloadType: payloadTypeOf(codecNamed(codec)) },
  ]);
  const { security, ice } = negotiator.accept(audio);
  const remote = secured(remoteAudio(audio), security, ice);
  return { ...remote, accepts, telephoneEvents: [...audio.telephoneEvents, ...OFFERED_EVENTS] };
}

/**
 * The descriptions of one dialog: keeps the session id, counts the version up whenever what we say changes, and leaves
 * it when a session refresh repeats what was said.
 */
export class SdpNegotiator {
  readonly #local: LocalMedia;
  readonly #security: SecurityNegotiator;
  #version: number;
  #last: string | undefined;

  constructor(local: LocalMedia) {
    this.#local = local;
    this.#security = new SecurityNegotiator(local.policy, local.fingerprint);
    this.#version = local.version ?? 1;
  }

  /** As answerOffer. */
  answer(offer: string): { answer: string; remote: RemoteAudio } {
    const { answer, remote } = answerOffer(offer, this.#current(), this.#security);
    return { answer: this.#versioned(answer), remote };
  }

  /** As makeOffer. */
  offer(): string {
    return this.#versioned(makeOffer(this.#current(), this.#security));
  }

  /** As acceptAnswer. */
  accept(answer: string): RemoteAudio {
    return quieted(acceptAnswer(answer, this.#local.codecs, this.#security), this.#local.policy);
  }

  #current(): LocalMedia {
    return { ...this.#local, version: this.#version };
  }

  #versioned(sdp: string): string {
    const body = sdp.slice(sdp.indexOf('\r\ns='));
    if (this.#last !== undefined && this.#last !== body) {
      const before = originLine(this.#current());
      this.#version++;
      sdp = sdp.replace(before, originLine(this.#current()));
    }
    this.#last = body;
    return sdp;
  }
}

function originLine({ address, sessionId, version }: LocalMedia): string {
  return `o=- ${sessionId} ${version ?? 1} IN ${addressType(address)} ${address}`;
}

function describe(local: LocalMedia, blocks: string[][], sessionLines: readonly string[] = []): string {
  const session = ['v=0', originLine(local), 's=-', `c=IN ${addressType(local.address)} ${local.address}`, 't=0 0'];
  return `${[...session, ...sessionLines, ...blocks.flat()].join('\r\n')}\r\n`;
}

function addressType(address: string): string {
  return address.includes(':') ? 'IP6' : 'IP4';
}

/** Comfort noise is sent where both sides want it; Opus has its own (RFC 3389 section 4: on the codec's clock of 8000). */
function quieted(remote: RemoteAudio, policy: MediaPolicy | undefined): RemoteAudio {
  const agreed = policy?.comfortNoise && remote.comfortNoisePayloadType !== undefined;
  return agreed && codecNamed(remote.codec).clockRate === 8000 ? { ...remote, suppressSilence: true } : remote;
}

function secured(remote: RemoteAudio, security: AudioSecurity | undefined, ice?: IceCredentials): RemoteAudio {
  return { ...remote, ...(security && { security }), ...(ice && { ice }) };
}

/** What is left of a description when one of its codecs is chosen. */
function only(audio: AudioDescription, chosen: OfferedCodec): AudioDescription {
  const { clockRate } = codecNamed(chosen.codec);
  return {
    ...audio,
    codecs: [chosen],
    telephoneEvents: eventsBeside(audio, chosen.codec),
    // RFC 3389 section 4: on the clock of the codec beside it; Opus has its own.
    comfortNoise: clockRate === 8000 ? audio.comfortNoise : undefined,
  };
}

function acceptedAudio(audio: AudioDescription, ptimeMs: number, port: number): string[] {
  const chosen = audio.codecs[0]!;
  const formats = [chosen.payloadType, ...audio.telephoneEvents.map((event) => event.payloadType)];
  if (audio.comfortNoise !== undefined) formats.push(audio.comfortNoise);
  return [
    `m=audio ${port} ${audio.protocol} ${formats.join(' ')}`,
    ...formatLines(chosen),
    ...audio.telephoneEvents.flatMap(eventLines),
    ...(audio.comfortNoise === undefined ? [] : [noiseLine(audio.comfortNoise)]),
    `a=ptime:${ptimeMs}`,
    `a=${direction(audio.receives, audio.sends)}`,
    ...(audio.rtcpMux ? ['a=rtcp-mux'] : []),
    ...(audio.voipMetrics ? [VOIP_METRICS] : []),
  ];
}

function payloadTypeOf(codec: Codec): number {
  return codec.staticPayloadType ?? OPUS_PAYLOAD_TYPE;
}

function formatLines({ codec: name, payloadType }: { codec: CodecName; payloadType: number }): string[] {
  const { clockRate, channels, format } = codecNamed(name);
  const map = `a=rtpmap:${payloadType} ${name}/${clockRate}${channels === undefined ? '' : `/${channels}`}`;
  return format === undefined ? [map] : [map, `a=fmtp:${payloadType} ${format}`];
}

function eventLines({ payloadType, clockRate }: { payloadType: number; clockRate: number }): string[] {
  return [`a=rtpmap:${payloadType} telephone-event/${clockRate}`, `a=fmtp:${payloadType} 0-15`];
}

function noiseLine(payloadType: number): string {
  return `a=rtpmap:${payloadType} CN/8000`;
}

function direction(weSend: boolean, weReceive: boolean): string {
  if (weSend) return weReceive ? 'sendrecv' : 'sendonly';
  return weReceive ? 'recvonly' : 'inactive';
}

/** RFC 3264 section 6: a refused stream keeps its place, with port zero. */
function refused(line: MediaLine): string[] {
  return [`m=${line.type} 0 ${line.protocol} ${line.formats}`];
}
