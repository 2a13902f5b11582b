import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { parseSipUri } from '../../src/sip/message/uri.ts';
import type { Flow, Protocol } from '../../src/sip/transport/flow.ts';
import { hopOf } from '../../src/sip/transport/next-hop.ts';
import { TransportLayer } from '../../src/sip/transport/transport-layer.ts';

const open: TransportLayer[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A layer, and ways a dialog may have come to it from a public address, which the loopback has none of. */
async function layer() {
  const listen = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 }));
  const nothing = { onMessage: () => undefined, onBadMessage: () => undefined };
  const transports = new TransportLayer({ listen, log: silentLogger, connections: { connectMs: 100 } }, nothing);
  open.push(transports);
  await transports.listen();
  const { transport } = await transports.route(hopOf(parseSipUri('sip:192.0.2.1')), 0, undefined);
  const cameBy = (protocol: Protocol, address: string, isOpen = true): Flow => ({
    protocol,
    reliable: protocol !== 'udp',
    secure: protocol === 'tls' || protocol === 'wss',
    peer: undefined,
    open: isOpen,
    remote: { address, port: 40_000 },
    local: transport.bound,
    transport,
    send: () => undefined,
  });
  const way = (uri: string, hint: Flow, bytes = 500) => transports.route(hopOf(parseSipUri(uri)), bytes, hint);
  return { cameBy, way };
}

describe('a request inside a call', () => {
  it('goes to the Contact where that is reachable', async () => {
    const { cameBy, way } = await layer();
    const flow = await way('sip:ada@192.0.2.7:5070', cameBy('udp', '203.0.113.5'));
    expect(flow.remote).toEqual({ address: '192.0.2.7', port: 5070 });
    const near = await way('sip:ada@10.0.0.7:5070', cameBy('udp', '10.0.0.5'));
    expect(near.remote).toEqual({ address: '10.0.0.7', port: 5070 });
  });

  it('goes back the way the peer came where its Contact is private and it is not', async () => {
    const { cameBy, way } = await layer();
    for (const protocol of ['udp', 'tcp'] as const) {
      const hint = cameBy(protocol, '203.0.113.5');
      expect(await way(`sip:ada@10.0.0.7:5070;transport=${protocol}`, hint)).toBe(hint);
      expect(await way('sip:ada@192.168.1.7', hint)).toBe(hint);
    }
    // What is too large for a datagram has no connection behind that NAT either.
    const hint = cameBy('udp', '203.0.113.5');
    expect(await way('sip:ada@10.0.0.7', hint, 5_000)).toBe(hint);
  });

  it('goes over the connection of a client that nobody can connect to', async () => {
    const { cameBy, way } = await layer();
    const webSocket = cameBy('wss', '127.0.0.1');
    expect(await way('sip:x7f3@b64.invalid;transport=ws', webSocket)).toBe(webSocket);
    const tcp = cameBy('tcp', '127.0.0.1');
    expect(await way('sip:x7f3@b64.invalid', tcp)).toBe(tcp);
    // Nobody listens on port 1, so the connection has to do.
    expect(await way('sip:ada@127.0.0.2:1;transport=tcp', tcp)).toBe(tcp);
  });

  it('fails where the connection is gone, or would give away what sips: keeps', async () => {
    const { cameBy, way } = await layer();
    await expect(way('sip:x@b.invalid;transport=ws', cameBy('ws', '127.0.0.1', false))).rejects.toThrow('closed');
    await expect(way('sips:x@b.invalid;transport=ws', cameBy('ws', '127.0.0.1'))).rejects.toThrow('closed');
    await expect(way('sips:ada@10.0.0.7', cameBy('tcp', '203.0.113.5'))).rejects.toMatchObject({ sipStatus: 503 });
  });
});
