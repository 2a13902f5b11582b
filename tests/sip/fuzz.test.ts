import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/core/log.ts';
import { SipRequest } from '../../src/sip/message/message.ts';
import { mutate, seeded } from '../support/sip-fuzz/mutate.ts';
import { corpus, probe } from '../support/sip-fuzz/probe.ts';
import { ANSWER, listen, OFFER, UdpPeer } from './support.ts';

/** `npm run bench -- sip-fuzz` does the same a few million times. */
const seed = Date.now() % 2 ** 31;

describe('whatever a peer sends', () => {
  it('is read or refused, within milliseconds, and never trips us', () => {
    const messages = corpus();
    const random = seeded(seed);
    for (let i = 0; i < 6_000; i++) {
      const bytes = mutate(messages[i % messages.length] ?? Buffer.alloc(0), messages, random);
      try {
        probe(bytes, random);
      } catch (error) {
        throw new Error(`seed ${seed}, input ${i}: ${JSON.stringify(bytes.toString('latin1'))}`, { cause: error });
      }
    }
  });

  it('over UDP and TCP leaves nothing behind, and the next caller is served', async () => {
    const { ua, udp, tcp } = await listen({
      onInvite: (invite) => {
        invite.progress(ANSWER);
        invite.reject({ status: 486 });
      },
    });
    const messages = corpus();
    const random = seeded(seed);
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
    for (let i = 0; i < 2_000; i++) {
      const bytes = mutate(messages[i % messages.length] ?? Buffer.alloc(0), messages, random);
      if (bytes.length > 0) socket.send(bytes, udp, '127.0.0.1');
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      if (i % 20 !== 0) continue;
      const stream = connect({ host: '127.0.0.1', port: tcp });
      stream.on('error', () => undefined);
      stream.end(bytes);
    }
    const peer = await UdpPeer.open(udp);
    peer.say('OPTIONS', 'sip:bank@127.0.0.1');
    await peer.response(200, 'OPTIONS');
    expect(ua.dialogs).toBe(0);
    peer.close();
    socket.close();
    await ua.close();
    expect(ua.transactions).toBe(0);
  });

  it('inside a call, or in answer to a call of ours, is dealt with as it deserves: no surprise of ours is ever logged', async () => {
    const surprises: unknown[] = [];
    const write = (line: string) => {
      const { err } = JSON.parse(line) as { err?: { type: string; blame?: string } };
      if (err !== undefined && (err.blame === 'us' || err.blame === undefined)) surprises.push(err);
    };
    const log = createLogger({ level: 'debug', destination: { write } });
    const { ua, udp } = await listen({
      log,
      onInvite: (invite) => {
        invite.session.handlers.onOffer = () => ANSWER;
        invite.session.handlers.onDtmf = () => undefined;
        invite.progress();
        setTimeout(() => void invite.answer(ANSWER).catch(() => undefined), 5);
      },
    });
    const peer = await UdpPeer.open(udp);
    const uri = `sip:bank@127.0.0.1:${udp}`;
    const messages = corpus();
    const random = seeded(seed);
    for (let call = 0; call < 12; call++) {
      const callId = `fuzz-${call}`;
      const headers = ['Supported: 100rel, timer', 'Session-Expires: 600;refresher=uac', 'Allow: UPDATE'];
      peer.say('INVITE', uri, { callId, body: OFFER, headers });
      const { toTag } = await peer.response(200, 'INVITE');
      peer.say('ACK', uri, { callId, toTag });
      const rack = ['RAck: 1 1 INVITE', 'Supported: timer', 'Session-Expires: 300'];
      const unwanted = new AbortController();
      const { signal } = unwanted;
      const ours = ua.invite(`sip:peer@127.0.0.1:${peer.port}`, OFFER, { signal }).catch(() => undefined);
      const asked = await peer.next((m) => m instanceof SipRequest && m.method === 'INVITE', 'our INVITE');
      const answers = [183, 200, 302, 486].map((status) =>
        ['SIP/2.0', status, 'x\r\n']
          .join(' ')
          .concat(
            ['via', 'from', 'call-id', 'cseq'].map((key) => `${key}: ${asked.headers.get(key)}\r\n`).join(''),
            `to: ${asked.headers.get('to')};tag=far\r\nContact: <sip:far@127.0.0.1:${peer.port}>\r\nRequire: 100rel\r\n`,
            `RSeq: 5\r\nContent-Type: application/sdp\r\n\r\n${ANSWER}`,
          ),
      );
      for (let i = 0; i < 120; i++) {
        const method = ['UPDATE', 'INVITE', 'INFO', 'PRACK', 'OPTIONS', 'BYE', 'CANCEL', 'REFER'][i % 8] ?? 'BYE';
        const facts = { callId, toTag, cseq: 2 + i, headers: rack, body: i % 3 === 0 ? OFFER : '' };
        const text = i % 5 === 0 ? (answers[i % 4] ?? '') : peer.build(method, uri, facts);
        peer.write(mutate(Buffer.from(text, 'latin1'), messages, random));
        if (i % 30 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
      }
      peer.write(answers[3] ?? '');
      // Whatever it was told, a call of ours ends when nobody wants it any more.
      await Promise.race([ours, new Promise((resolve) => setTimeout(resolve, 200))]);
      unwanted.abort();
      await ours;
      peer.heard.length = 0;
    }
    peer.say('OPTIONS', 'sip:bank@127.0.0.1', { callId: 'alive' });
    await peer.response(200, 'OPTIONS');
    await ua.close();
    peer.close();
    expect(surprises).toEqual([]);
    expect([ua.dialogs, ua.transactions]).toEqual([0, 0]);
  });

  it('an ACK is never answered, whatever is wrong with it', async () => {
    const { ua, udp } = await listen();
    const socket = createSocket('udp4');
    const answers: string[] = [];
    socket.on('message', (bytes) => answers.push(bytes.toString('latin1')));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
    const messages = corpus();
    const random = seeded(seed);
    const ack = Buffer.from(
      ` sip:bank@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bKa;rport\r\n` +
        'From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2\r\nCall-ID: x\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n',
    );
    for (let i = 0; i < 1_000; i++) {
      const rest = mutate(ack, messages, random);
      // Behind `ACK ` anything may come; before it nothing, or it would be no ACK.
      socket.send(Buffer.concat([Buffer.from('ACK '), rest.subarray(1)]), udp, '127.0.0.1');
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const peer = await UdpPeer.open(udp);
    peer.say('OPTIONS', 'sip:bank@127.0.0.1');
    await peer.response(200, 'OPTIONS');
    expect(answers).toEqual([]);
    peer.close();
    socket.close();
    await ua.close();
  });
});
