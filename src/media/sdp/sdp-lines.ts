/** What stands in the session's part of a description, or in that of one m-line. Numbers are as they are written, or NaN. */
export interface SdpPart {
  /** `c=`: the address. */
  connection: string | undefined;
  direction: string | undefined;
  /** `a=rtpmap`, by payload type; the first of each counts. */
  readonly maps: Map<number, { codec: string; rate: number | undefined; channels: string | undefined }>;
  /** `a=fmtp`, the same way. */
  readonly formats: Map<number, string>;
  ptime: string | undefined;
  maxptime: string | undefined;
  /** `a=rtcp` (RFC 3605). */
  rtcp: { port: number; address: string | undefined } | undefined;
  rtcpMux: boolean;
  /** Values of each attribute, as often as it stands there; '' for one that has none, as a=ice-lite. */
  readonly attributes: Map<string, string[]>;
  /** All of it. */
  readonly lines: string[];
}

export interface SdpMedia extends SdpPart {
  type: string;
  port: number;
  protocol: string;
  /** The format list; undefined without one. */
  payloads: string | undefined;
}

export interface SdpSession extends SdpPart {
  /** `v=`. */
  version: number;
  readonly media: SdpMedia[];
}

/**
 * A description by its lines (RFC 8866), each read as far as calls need it; what is not understood is passed over. Nothing is
 * judged here: a line that is malformed leaves nothing, or NaN.
 */
export function readLines(sdp: string): SdpSession {
  const session: SdpSession = { ...emptyPart(), version: Number.NaN, media: [] };
  let part: SdpPart = session;
  for (const line of sdp.split(/\r\n|\r|\n/)) {
    const value = line.slice(2);
    if (line.startsWith('m=')) {
      const media = readMediaLine(value);
      session.media.push(media);
      part = media;
    } else if (line.startsWith('a=')) readAttribute(value, part);
    else if (line.startsWith('c=')) part.connection = /^IN IP\d (\S*)/.exec(value)?.[1] ?? part.connection;
    else if (line.startsWith('v=') && part === session && /^\d*$/.test(value)) session.version = integerOf(value);
    part.lines.push(line);
  }
  return session;
}

function emptyPart(): SdpPart {
  return {
    connection: undefined,
    direction: undefined,
    maps: new Map(),
    formats: new Map(),
    ptime: undefined,
    maxptime: undefined,
    rtcp: undefined,
    rtcpMux: false,
    attributes: new Map(),
    lines: [],
  };
}

function readMediaLine(value: string): SdpMedia {
  const [, type = '', port = '', protocol = '', payloads] = /^(\w*) (\d*) ([\w/]*)(?: (.*))?/.exec(value) ?? [];
  return { ...emptyPart(), type, port: integerOf(port), protocol, payloads };
}

function readAttribute(text: string, part: SdpPart): void {
  const colon = text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  const value = colon === -1 ? '' : text.slice(colon + 1);
  const values = part.attributes.get(name);
  if (values === undefined) part.attributes.set(name, [value]);
  else values.push(value);
  switch (name) {
    case 'rtpmap': {
      const map = /^(\d*) ([\w\-.]*)(?:\s*\/(\d*)(?:\s*\/(\S*))?)?/.exec(value);
      if (map === null) return;
      const payloadType = integerOf(map[1]!);
      const rate = map[3] === undefined ? undefined : integerOf(map[3]);
      if (!part.maps.has(payloadType)) part.maps.set(payloadType, { codec: map[2]!, rate, channels: map[4] });
      return;
    }
    case 'fmtp': {
      const [, payloadType, config = ''] = /^(\d*) ([\S ]*)/.exec(value) ?? [];
      if (payloadType !== undefined && !part.formats.has(integerOf(payloadType)))
        part.formats.set(integerOf(payloadType), config);
      return;
    }
    case 'rtcp': {
      const [, port, address] = /^(\d*)(?: \S* IP\d (\S*))?/.exec(value) ?? [];
      if (colon !== -1) part.rtcp = { port: integerOf(port ?? ''), address };
      return;
    }
    case 'ptime':
      if (colon !== -1) part.ptime = /^[\d.]*/.exec(value)![0];
      return;
    case 'maxptime':
      if (colon !== -1) part.maxptime = /^[\d.]*/.exec(value)![0];
      return;
    default:
      part.direction = /^(?:sendrecv|recvonly|sendonly|inactive)/.exec(text)?.[0] ?? part.direction;
      if (text.startsWith('rtcp-mux')) part.rtcpMux = true;
  }
}

/** Of digits without zeros before them; NaN for everything else. */
function integerOf(text: string): number {
  const number = Number(text);
  return String(number) === text ? number : Number.NaN;
}
