import { type G711, PAYLOAD_TYPE } from './g711.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What one side says about its audio. */
export interface AudioDescription {
  readonly address: string;
  readonly port: number;
  /** In order of preference. */
  readonly codecs: readonly G711[];
  readonly telephoneEvent: number | undefined;
  readonly direction: Direction;
  /** Default RTP/AVP. */
  readonly protocol?: string;
  /** Lines of the audio section besides. */
  readonly attributes?: readonly string[];
}

/** SDP with one audio stream at 20 ms (RFC 4566, RFC 3551). */
export function writeSdp(audio: AudioDescription, sessionId: number, version: number): string {
  const types = audio.codecs.map((codec) => PAYLOAD_TYPE[codec]);
  const family = audio.address.includes(':') ? 'IP6' : 'IP4';
  const lines = [
    'v=0',
    `o=phone ${sessionId} ${version} IN ${family} ${audio.address}`,
    's=call',
    `c=IN ${family} ${audio.address}`,
    't=0 0',
    `m=audio ${audio.port} ${audio.protocol ?? 'RTP/AVP'} ${[...types, ...(audio.telephoneEvent === undefined ? [] : [audio.telephoneEvent])].join(' ')}`,
    ...audio.codecs.map((codec) => `a=rtpmap:${PAYLOAD_TYPE[codec]} ${codec}/8000`),
  ];
  if (audio.telephoneEvent !== undefined) {
    lines.push(`a=rtpmap:${audio.telephoneEvent} telephone-event/8000`, `a=fmtp:${audio.telephoneEvent} 0-15`);
  }
  lines.push('a=ptime:20', `a=${audio.direction}`, ...(audio.attributes ?? []));
  return `${lines.join('\r\n')}\r\n`;
}

/** Throws when there is no G.711 audio in it. */
export function readSdp(sdp: string): AudioDescription {
  const lines = sdp.split(/\r?\n/);
  const audioAt = lines.findIndex((line) => line.startsWith('m=audio '));
  if (audioAt < 0) throw new Error('SDP without audio');
  const nextMedia = lines.findIndex((line, i) => i > audioAt && line.startsWith('m='));
  const media = lines.slice(audioAt, nextMedia < 0 ? undefined : nextMedia);
  const session = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith('m=')),
  );
  const connection = [...media, ...session].find((line) => /^c=IN IP[46] /.test(line));
  const [, port, , ...formats] = media[0]!.split(' ');
  const names = new Map<number, string>([
    [0, 'PCMU'],
    [8, 'PCMA'],
  ]);
  for (const line of media) {
    const map = /^a=rtpmap:(\d+) ([^/\s]+)/i.exec(line);
    if (map) names.set(Number(map[1]), map[2]!.toUpperCase());
  }
  const types = formats.map(Number);
  const codecs = types.map((type) => names.get(type)).filter((name) => name === 'PCMU' || name === 'PCMA');
  if (codecs.length === 0) throw new Error('SDP without PCMU or PCMA');
  const direction = [...session, ...media]
    .map((line) => /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/.exec(line)?.[1])
    .findLast((found) => found !== undefined);
  return {
    address: /^c=IN IP[46] ([0-9a-f.:]+)/i.exec(connection ?? '')?.[1] ?? '0.0.0.0',
    port: Number(port),
    codecs,
    telephoneEvent: types.find((type) => names.get(type) === 'TELEPHONE-EVENT'),
    direction: (direction ?? 'sendrecv') as Direction,
  };
}

/** The direction seen from the other side (RFC 3264 section 6.1). */
export function mirrored(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}
