import { randomBytes, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CipherContext, DtlsClient, DtlsServer } from 'werift';
import type { Failure } from '../../src/core/errors.ts';
import { DtlsAgent, type DtlsSource } from '../../src/media/dtls/dtls-agent.ts';
import { type Fingerprint, fingerprintOf } from '../../src/media/dtls/fingerprint.ts';
import { createDtlsIdentity, type DtlsIdentity } from '../../src/media/dtls/identity.ts';
import type { SrtpKeys } from '../../src/media/srtp/srtp-line.ts';

const PEER: DtlsSource = { address: '192.0.2.1', port: 4000 };
const STRANGER: DtlsSource = { address: '198.51.100.9', port: 9 };
let ours: DtlsIdentity;
let theirs: { certPem: string; keyPem: string; signatureHash: never; fingerprint: Fingerprint };
let others: typeof theirs;
const open: DtlsAgent[] = [];

async function certificate(): Promise<typeof theirs> {
  const made = await CipherContext.createSelfSignedCertificateWithKey({ signature: 3, hash: 4 }, 23);
  return { ...made, fingerprint: fingerprintOf(new X509Certificate(made.certPem).raw) } as typeof theirs;
}
beforeAll(async () => {
  ours = createDtlsIdentity(new Date());
  [theirs, others] = await Promise.all([certificate(), certificate()]);
});
afterEach(() => {
  for (const agent of open.splice(0)) agent.close();
});

interface Outcome {
  agent: DtlsAgent;
  result: Promise<SrtpKeys | Failure>;
}

/** Our side, with `deliver` as the way to the other. */
function agent(
  role: 'active' | 'passive',
  fingerprints: Fingerprint[],
  deliver: (data: Buffer, to: DtlsSource | undefined) => void,
): Outcome {
  let made: DtlsAgent | undefined;
  const result = new Promise<SrtpKeys | Failure>((resolve) => {
    made = new DtlsAgent({
      identity: ours,
      role,
      fingerprints,
      isPeer: ({ address, port }) => address === PEER.address && port === PEER.port,
      send: (data, to) => setImmediate(() => deliver(Buffer.from(data), to)),
      keyed: resolve,
      failed: resolve,
    });
  });
  open.push(made!);
  return { agent: made!, result };
}

/** The other side, by werift alone. `send` is the way to ours. */
function werift(
  role: 'active' | 'passive',
  { certPem: cert, keyPem: key, signatureHash }: typeof theirs,
  send: (data: Buffer) => void,
) {
  const transport = {
    type: 'udp',
    address: { address: '', port: 0, family: '' },
    closed: false,
    onData: (_data: Buffer): void => undefined,
    send: async (data: Buffer) => void setImmediate(() => send(Buffer.from(data))),
    close: async () => undefined,
  };
  const options = { cert, key, signatureHash, transport, srtpProfiles: [1 as const], extendedMasterSecret: true };
  const socket = role === 'active' ? new DtlsClient(options) : new DtlsServer({ ...options, certificateRequest: true });
  return { socket, transport };
}

/** Ours and werift's shake hands; werift shows `shown`, its SDP announced `announced`. */
async function shake(role: 'active' | 'passive', shown: typeof theirs, announced = shown.fingerprint, from = PEER) {
  let outcome: Outcome | undefined;
  const peer = werift(role === 'active' ? 'passive' : 'active', shown, (data) => outcome!.agent.receive(data, from));
  outcome = agent(role, [announced], (data) => peer.transport.onData(data));
  if ('connect' in peer.socket) void peer.socket.connect().catch(() => undefined);
  return { result: await outcome.result, peer: peer.socket, agent: outcome.agent };
}

const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');
const isKeys = (result: SrtpKeys | Failure): result is SrtpKeys => 'send' in result;

describe.each(['passive', 'active'] as const)('%s', (role) => {
  test('agrees with a peer that has the announced certificate on the same keys', async () => {
    const { result, peer } = await shake(role, theirs);
    if (!isKeys(result)) throw result;
    const { localKey, localSalt, remoteKey, remoteSalt } = peer.extractSessionKeys(16, 14);
    expect(result.send.profile).toBe('AES_CM_128_HMAC_SHA1_80');
    expect(hex(result.send.master)).toBe(hex(remoteKey) + hex(remoteSalt));
    expect(hex(result.receive.master)).toBe(hex(localKey) + hex(localSalt));
  });

  test('refuses a peer with another certificate than the announced one', async () => {
    const { result } = await shake(role, others, theirs.fingerprint);
    expect(result).toMatchObject({ code: 'dtls-failed', message: expect.stringMatching(/not the one in its session/) });
  });

  test('refuses who shows the announced certificate without having its key', async () => {
    // Certificates travel in the clear: anybody on the way has a copy.
    const impostor = { ...theirs, keyPem: others.keyPem };
    const { result } = await shake(role, impostor, theirs.fingerprint);
    expect(result).toMatchObject({ code: 'dtls-failed', message: expect.stringMatching(/does not have the key/) });
  });
});

describe('while waiting for the peer', () => {
  test('a stranger who begins first neither gets keys nor keeps the peer from them', async () => {
    const ways = new Map<string, (data: Buffer) => void>();
    const outcome = agent('passive', [theirs.fingerprint], (data, to) => ways.get(to!.address)?.(data));
    const dial = (who: typeof theirs, from: DtlsSource) => {
      const { socket, transport } = werift('active', who, (data) => outcome.agent.receive(data, from));
      ways.set(from.address, (data) => transport.onData(data));
      void (socket as DtlsClient).connect().catch(() => undefined);
      return new Promise<void>((resolve) => socket.onConnect.once(() => resolve()));
    };
    await dial(others, STRANGER);
    await dial(theirs, PEER);
    const result = await outcome.result;
    expect(isKeys(result)).toBe(true);
  });

  test('what is no handshake changes nothing, whatever it is', async () => {
    const outcome = agent('passive', [theirs.fingerprint], () => undefined);
    // Before that they wait unread.
    await ours.handshakes();
    await new Promise((resolve) => setImmediate(resolve));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(20, 21, 22, 23, 63), (data, type) => {
        outcome.agent.receive(Uint8Array.of(type, ...data), STRANGER);
      }),
    );
    // A first message by its looks, of one byte, and less than the head of another record behind it.
    const cut = Uint8Array.of(22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 22, 254, 253);
    outcome.agent.receive(cut, STRANGER);
    for (let i = 0; i < 300; i++) outcome.agent.receive(randomBytes(100), { ...STRANGER, port: 1000 + i });
    expect(await Promise.race([outcome.result, Promise.resolve('waiting')])).toBe('waiting');
  });
});
