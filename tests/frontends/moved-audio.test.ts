import { expect, it } from 'vitest';
import { OutgoingLine } from '../../src/call/legs/call-line.ts';
import { LegMedia } from '../../src/call/legs/leg-media.ts';
import { silentLogger } from '../../src/core/log.ts';
import { WorkerMediaEngine } from '../../src/media/media-engine.ts';
import { RtpPeer } from '../media/rtp-peer.ts';
import { OFFER, UdpPeer } from '../sip/support.ts';
import { gate } from './gate.ts';

const sdpAt = ({ port }: RtpPeer) => OFFER.replace('4000', String(port));

it('a far end that moves its audio right behind its answer hears us where it has moved', async () => {
  const media = await WorkerMediaEngine.start({ log: silentLogger });
  const [far, before, after] = await Promise.all([UdpPeer.open(), RtpPeer.open(), RtpPeer.open()]);
  const carrier = `gateways: [{ name: carrier, to: "127.0.0.1:${far.port}", destinations: [{ prefix: "+49" }] }]\n`;
  const connector = await gate(`trunks: [{ name: local, from: loopback }]\n${carrier}`);
  try {
    const line = new OutgoingLine(connector.frontEnd.dialler, { to: '+4930123456' });
    let leg: LegMedia | undefined;
    // What has to be there before the first packet takes its time.
    const ready = Promise.withResolvers<void>();
    const connecting = line.connect(
      {
        open: async (place) => {
          leg = await LegMedia.open({ media, call: line.id, place, onEvent: () => undefined });
          return leg;
        },
        beforeAudio: () => ready.promise,
        onProgress: () => undefined,
      },
      new AbortController().signal,
    );
    const invite = await far.request('INVITE');
    far.reply(invite, 200, sdpAt(before));
    const ack = await far.request('ACK');
    far.say('INVITE', ack.uri, {
      ...{ callId: invite.callId, cseq: 1, fromTag: 'peer', toTag: invite.fromTag, body: sdpAt(after) },
    });
    const moved = await far.response(200, 'INVITE');
    far.say('ACK', ack.uri, { callId: invite.callId, cseq: 1, fromTag: 'peer', toTag: moved.toTag });
    ready.resolve();
    await connecting;
    // It says nothing: what it sent would bring us there, wherever we were told to send.
    before.received.length = 0;
    after.received.length = 0;
    await expect.poll(() => after.received.length).toBeGreaterThan(5);
    expect(before.received).toEqual([]);
    const hungUp = line.hangup();
    far.reply(await far.request('BYE'), 200);
    await hungUp;
    await leg!.session.close();
  } finally {
    await connector.close();
    for (const peer of [far, before, after]) peer.close();
    await media.close();
  }
});
