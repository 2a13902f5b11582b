import type { RemoteAudio } from './ports.ts';
import { type AudioDescription, type MediaLine, readSdp, refuse, remoteAudio } from './sdp-read.ts';

/** Our side of a session description. */
export interface LocalMedia {
  /** As the peer reaches us. */
  address: string;
  port: number;
  /** o= session id: decimal digits, the same for the whole dialog. */
  sessionId: string;
  /** o= version, one more with each changed description of the dialog (RFC 3264 section 8). Default 1. */
  version?: number;
}

const TELEPHONE_EVENT = 101;

/**
 * Answers an offer (RFC 3264): the peer's first G.711 format under the peer's payload number, telephone-event and
 * comfort noise when offered, the direction mirrored (all spellings of hold), its ptime, every other m-line refused
 * with port 0. Throws Failure 488 when no audio of the offer can be served.
 */
export function answerOffer(offer: string, local: LocalMedia): { answer: string; remote: RemoteAudio } {
  const peer = readSdp(offer);
  const { audio } = peer;
  if (audio === undefined) throw refuse('the offer has no G.711 audio over RTP');
  const remote = remoteAudio(audio);
  const blocks = peer.lines.map((line, i) => (i === audio.index ? acceptedAudio(audio, local.port) : refused(line)));
  return { answer: describe(local, blocks), remote };
}

/** Our own offer, for an INVITE without one: both laws, telephone-event, 20 ms. */
export function makeOffer(local: LocalMedia): string {
  return describe(local, [
    [
      `m=audio ${local.port} RTP/AVP 0 8 ${TELEPHONE_EVENT}`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      ...telephoneEventLines(TELEPHONE_EVENT),
      'a=ptime:20',
      'a=sendrecv',
    ],
  ]);
}

/** Reads the peer's answer to makeOffer(). Throws Failure 488 when it refuses our audio or answers something else. */
export function acceptAnswer(answer: string): RemoteAudio {
  const { audio } = readSdp(answer);
  if (audio === undefined || audio.index !== 0) throw refuse('the answer has no G.711 audio over RTP');
  return remoteAudio(audio);
}

/**
 * The descriptions of one dialog: keeps the session id, counts the version up whenever what we say changes, and leaves
 * it when a session refresh repeats what was said.
 */
export class SdpNegotiator {
  readonly #local: LocalMedia;
  #version: number;
  #last: string | undefined;

  constructor(local: LocalMedia) {
    this.#local = local;
    this.#version = local.version ?? 1;
  }

  /** As answerOffer. */
  answer(offer: string): { answer: string; remote: RemoteAudio } {
    const { answer, remote } = answerOffer(offer, this.#current());
    return { answer: this.#versioned(answer), remote };
  }

  /** As makeOffer. */
  offer(): string {
    return this.#versioned(makeOffer(this.#current()));
  }

  /** As acceptAnswer. */
  accept(answer: string): RemoteAudio {
    return acceptAnswer(answer);
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

function describe(local: LocalMedia, blocks: string[][]): string {
  const session = ['v=0', originLine(local), 's=-', `c=IN ${addressType(local.address)} ${local.address}`, 't=0 0'];
  return `${[...session, ...blocks.flat()].join('\r\n')}\r\n`;
}

function addressType(address: string): string {
  return address.includes(':') ? 'IP6' : 'IP4';
}

function acceptedAudio(audio: AudioDescription, port: number): string[] {
  const { codec, payloadType } = audio.codecs[0]!;
  const formats = [payloadType, audio.telephoneEvent, audio.comfortNoise].filter((format) => format !== undefined);
  return [
    `m=audio ${port} ${audio.protocol} ${formats.join(' ')}`,
    `a=rtpmap:${payloadType} ${codec}/8000`,
    ...(audio.telephoneEvent === undefined ? [] : telephoneEventLines(audio.telephoneEvent)),
    ...(audio.comfortNoise === undefined ? [] : [`a=rtpmap:${audio.comfortNoise} CN/8000`]),
    `a=ptime:${audio.ptimeMs}`,
    `a=${direction(audio.receives, audio.sends)}`,
  ];
}

function telephoneEventLines(payloadType: number): string[] {
  return [`a=rtpmap:${payloadType} telephone-event/8000`, `a=fmtp:${payloadType} 0-15`];
}

function direction(weSend: boolean, weReceive: boolean): string {
  if (weSend) return weReceive ? 'sendrecv' : 'sendonly';
  return weReceive ? 'recvonly' : 'inactive';
}

/** RFC 3264 section 6: a refused stream keeps its place, with port zero. */
function refused(line: MediaLine): string[] {
  return [`m=${line.type} 0 ${line.protocol} ${line.formats}`];
}
