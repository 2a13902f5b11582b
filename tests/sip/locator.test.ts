import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseSipUri } from '../../src/sip/message/uri.ts';
import { systemDns } from '../../src/sip/transport/dns.ts';
import { Locator, type LocatorOptions } from '../../src/sip/transport/locator.ts';
import { isPrivate } from '../../src/sip/transport/nat.ts';
import { hopOf } from '../../src/sip/transport/next-hop.ts';
import { type DnsRecord, DnsServer } from '../support/dns-server.ts';
import { listen, PATIENT, UdpPeer } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const a = (address: string): DnsRecord => ({ type: address.includes(':') ? 'AAAA' : 'A', address });
const srv = (target: string, port: number, priority = 1, weight = 1): DnsRecord => {
  return { type: 'SRV', priority, weight, port, target };
};
const naptr = (order: number, service: string, replacement: string, preference = 1): DnsRecord => {
  return { type: 'NAPTR', order, preference, flags: 's', service, replacement };
};

async function zone(records: Record<string, DnsRecord[]>, options: Partial<LocatorOptions> = {}) {
  const server = await DnsServer.open(records);
  open.push(server);
  const time = { now: 0 };
  const locator = new Locator({
    dns: systemDns({ servers: [server.address], timeoutMs: 100 }),
    speaks: (protocol) => ['udp', 'tcp', 'tls'].includes(protocol),
    now: () => time.now,
    random: () => 0,
    ...options,
  });
  const found = async (uri: string) =>
    (await locator.locate(hopOf(parseSipUri(uri)))).map((p) => `${p.protocol} ${p.address}:${p.port} ${p.name}`);
  return { server, locator, time, found };
}

describe('the servers of a SIP URI', () => {
  it('are those of its NAPTR and SRV records, best first, under the name the URI has', async () => {
    const { found } = await zone({
      'bank.example': [
        naptr(20, 'SIP+D2U', '_sip._udp.bank.example'),
        naptr(10, 'SIPS+D2T', '_sips._tcp.tls.bank.example'),
        naptr(5, 'SIP+D2S', '_sip._sctp.bank.example'),
      ],
      '_sips._tcp.tls.bank.example': [srv('two.example', 5071, 2), srv('one.example', 5072, 1)],
      'one.example': [a('192.0.2.1'), a('2001:db8::1')],
      'two.example': [a('192.0.2.2')],
    });
    expect(await found('sip:bank.example')).toEqual([
      'tls 192.0.2.1:5072 bank.example',
      'tls 2001:db8::1:5072 bank.example',
      'tls 192.0.2.2:5071 bank.example',
    ]);
  });

  it('are, of NAPTR records with one order, those of the preferred one (RFC 3403 4.1)', async () => {
    const { found } = await zone({
      'bank.example': [
        naptr(10, 'SIP+D2U', '_sip._udp.bank.example', 30),
        naptr(10, 'SIP+D2T', '_sip._tcp.bank.example', 20),
      ],
      '_sip._udp.bank.example': [srv('one.example', 5060)],
      '_sip._tcp.bank.example': [srv('one.example', 5060)],
      'one.example': [a('192.0.2.1')],
    });
    expect(await found('sip:bank.example')).toEqual(['tcp 192.0.2.1:5060 bank.example']);
  });

  it('are found without NAPTR by SRV for each transport, and without SRV by address', async () => {
    const { server, found } = await zone({
      '_sip._tcp.srv.example': [srv('host.example', 5090)],
      'host.example': [a('192.0.2.7')],
    });
    expect(await found('sip:srv.example')).toEqual(['tcp 192.0.2.7:5090 srv.example']);
    expect(await found('sip:srv.example;transport=tcp')).toEqual(['tcp 192.0.2.7:5090 srv.example']);
    expect(await found('sip:host.example')).toEqual(['udp 192.0.2.7:5060 host.example']);
    expect(await found('sips:host.example')).toEqual(['tls 192.0.2.7:5061 host.example']);
    expect(await found('sip:host.example;transport=tls')).toEqual(['tls 192.0.2.7:5061 host.example']);
    server.asked.length = 0;
    expect(await found('sip:host.example:5999')).toEqual(['udp 192.0.2.7:5999 host.example']);
    expect(await found('sip:192.0.2.9')).toEqual(['udp 192.0.2.9:5060 192.0.2.9']);
    expect(await found('sip:[2001:db8::9]:5070;transport=tcp')).toEqual(['tcp 2001:db8::9:5070 2001:db8::9']);
    expect(await found('sip:x.example;maddr=192.0.2.3')).toEqual(['udp 192.0.2.3:5060 192.0.2.3']);
    // A port settles it, an address too: nothing was asked again.
    expect(server.asked).toEqual([]);
  });

  it('for sips: are encrypted ones only, whatever the NAPTR records offer', async () => {
    const { found } = await zone({
      'bank.example': [naptr(1, 'SIP+D2U', '_sip._udp.bank.example'), naptr(2, 'SIPS+D2T', '_sips._tcp.bank.example')],
      '_sip._udp.bank.example': [srv('plain.example', 5060)],
      '_sips._tcp.bank.example': [srv('safe.example', 5061)],
      'plain.example': [a('192.0.2.1')],
      'safe.example': [a('192.0.2.2')],
    });
    expect(await found('sips:bank.example')).toEqual(['tls 192.0.2.2:5061 bank.example']);
  });

  it('are only those we have a transport and an address family for', async () => {
    const records = {
      '_sip._udp.bank.example': [srv('host.example', 5060)],
      '_sip._tcp.bank.example': [srv('host.example', 5080)],
      'host.example': [a('2001:db8::1'), a('192.0.2.1')],
    };
    const { found } = await zone(records, { speaks: (protocol, family) => protocol === 'tcp' && family === 4 });
    expect(await found('sip:bank.example')).toEqual(['tcp 192.0.2.1:5080 bank.example']);
    await expect(found('sip:bank.example;transport=udp')).rejects.toMatchObject({ sipStatus: 503 });
  });

  it('are none: one that is declined, one that exists nowhere', async () => {
    const { server, found } = await zone({ '_sip._udp.no.example': [srv('.', 0)] });
    await expect(found('sip:no.example;transport=udp')).rejects.toMatchObject({ sipStatus: 503, retryable: true });
    await expect(found('sip:nobody.example')).rejects.toMatchObject({ sipStatus: 503 });
    server.asked.length = 0;
    await expect(found('sip:x7f3.invalid')).rejects.toMatchObject({ sipStatus: 503 });
    expect(server.asked).toEqual([]);
  });

  it('are found when the name server is silent about some of them', async () => {
    const { server, found } = await zone({
      '_sip._udp.bank.example': [srv('host.example', 5062)],
      'host.example': [a('192.0.2.1')],
    });
    server.mute.add('bank.example');
    expect(await found('sip:bank.example')).toEqual(['udp 192.0.2.1:5062 bank.example']);
  });

  it('are asked for once in a while only, however many want to know', async () => {
    const { server, time, found } = await zone({ 'host.example': [a('192.0.2.1')] });
    await Promise.all(Array.from({ length: 50 }, () => found('sip:host.example:5060')));
    expect(server.asked.filter((question) => question === 'A host.example')).toHaveLength(1);
    server.zone['host.example'] = [a('192.0.2.2')];
    time.now += 20_000;
    expect(await found('sip:host.example:5060')).toEqual(['udp 192.0.2.2:5060 host.example']);
  });

  it('that failed a moment ago are tried last', async () => {
    const { locator, time, found } = await zone({ 'host.example': [a('192.0.2.1'), a('192.0.2.2')] });
    locator.avoid({ protocol: 'udp', address: '192.0.2.1', port: 5060 });
    expect((await found('sip:host.example:5060'))[0]).toBe('udp 192.0.2.2:5060 host.example');
    locator.avoid({ protocol: 'udp', address: '192.0.2.2', port: 5060 });
    expect(await found('sip:host.example:5060')).toHaveLength(2);
    time.now += 31_000;
    expect((await found('sip:host.example:5060'))[0]).toBe('udp 192.0.2.1:5060 host.example');
  });

  it('share the load by their weights', async () => {
    let random = 0;
    const records = { '_sip._udp.w.example': [srv('light.example', 1, 1, 1), srv('heavy.example', 2, 1, 9)] };
    const hosts = { 'light.example': [a('192.0.2.1')], 'heavy.example': [a('192.0.2.9')] };
    const { found } = await zone({ ...records, ...hosts }, { random: () => random });
    let heavy = 0;
    for (random = 0.005; random < 1; random += 0.01) {
      const [first] = await found('sip:w.example;transport=udp');
      if (first?.includes('192.0.2.9')) heavy++;
    }
    expect(heavy).toBe(90);
  });

  it('of any list are each tried once, in the order of priority', async () => {
    const record = fc.record({ priority: fc.nat(3), weight: fc.nat(5), port: fc.integer({ min: 1, max: 8 }) });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(record, { maxLength: 8, selector: ({ port }) => port }), async (records) => {
        const locator = new Locator({
          dns: {
            naptr: async () => [],
            srv: async () => records.map((one) => ({ ...one, name: 'host.example' })),
            addresses: async () => [{ address: '192.0.2.1', family: 4 }],
          },
          speaks: (protocol) => protocol === 'udp',
          now: () => 0,
          random: Math.random,
        });
        const places = await locator.locate(hopOf(parseSipUri('sip:bank.example')));
        if (records.length === 0) return;
        const priorities = places.map(({ port }) => records.find((one) => one.port === port)!.priority);
        expect(priorities).toEqual([...priorities].sort((x, y) => x - y));
        expect(new Set(places.map(({ port }) => port)).size).toBe(records.length);
      }),
    );
  });
});

describe('a request of ours to a name', () => {
  it('goes to the next server when the first cannot be had, and to that one at once the next time', async () => {
    const far = await listen();
    const server = await DnsServer.open({
      // Nobody listens on the first.
      '_sip._tcp.bank.example': [srv('host.example', 1, 1), srv('host.example', far.tcp, 2)],
      'host.example': [a('127.0.0.1')],
    });
    const { ua } = await listen({ dns: systemDns({ servers: [server.address] }) });
    open.push(server, far.ua, ua);
    for (let i = 0; i < 2; i++) {
      expect((await ua.request('OPTIONS', 'sip:bank.example;transport=tcp')).status).toBe(200);
    }
  });

  it('goes to the next server after silence and after 503, and to that one at once the next time', async () => {
    const [silent, busy, answering] = [await UdpPeer.open(), await UdpPeer.open(), await UdpPeer.open()];
    const servers = [silent, busy, answering].map(({ port }, at) => srv('host.example', port, at + 1));
    const server = await DnsServer.open({ '_sip._udp.bank.example': servers, 'host.example': [a('127.0.0.1')] });
    const { ua } = await listen({ dns: systemDns({ servers: [server.address] }), timers: PATIENT });
    open.push(server, silent, busy, answering, ua);
    const first = ua.request('OPTIONS', 'sip:bank.example', { silenceMs: 300 });
    const refused = await busy.request('OPTIONS');
    busy.reply(refused, 503);
    const options = await answering.request('OPTIONS');
    // The same request, each time as a transaction of its own.
    expect([refused.callId, refused.cseq.number]).toEqual([options.callId, options.cseq.number]);
    expect(refused.via.params.get('branch')).not.toBe(options.via.params.get('branch'));
    expect(options.headers.lines('via')).toHaveLength(1);
    answering.reply(options, 200);
    expect((await first).status).toBe(200);
    const second = ua.request('OPTIONS', 'sip:bank.example');
    answering.reply(await answering.request('OPTIONS'), 200);
    expect((await second).status).toBe(200);
  });

  it('fails as the last server did when none is left', async () => {
    const [busy, silent] = [await UdpPeer.open(), await UdpPeer.open()];
    const servers = [busy, silent].map(({ port }, at) => srv('host.example', port, at + 1));
    const server = await DnsServer.open({ '_sip._udp.bank.example': servers, 'host.example': [a('127.0.0.1')] });
    const { ua } = await listen({ dns: systemDns({ servers: [server.address] }), timers: PATIENT });
    open.push(server, silent, busy, ua);
    const asking = ua.request('OPTIONS', 'sip:bank.example', { silenceMs: 300 });
    busy.reply(await busy.request('OPTIONS'), 503);
    await expect(asking).rejects.toMatchObject({ sipStatus: 408 });
  });
});

it('addresses that mean something in one network only are known', () => {
  const here = ['10.1.2.3', '172.31.0.1', '192.168.1.1', '100.64.0.1', '169.254.1.1', '127.0.0.1', '::1', 'fd00::1'];
  expect(here.every(isPrivate)).toBe(true);
  expect(['172.32.0.1', '192.0.2.1', '100.128.0.1', '2001:db8::1', 'bank.example', ''].some(isPrivate)).toBe(false);
});
