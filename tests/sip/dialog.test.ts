import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/errors.ts';
import { SipRequest } from '../../src/sip/message/message.ts';
import { createResponse } from '../../src/sip/message/response.ts';
import { Dialog } from '../../src/sip/session/dialog.ts';

function invite(...headers: [string, string][]): SipRequest {
  const request = new SipRequest('INVITE', 'sip:bank@192.0.2.1');
  request.headers.append('Via', 'SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1');
  request.headers.append('From', '"Ada" <sip:ada@example.com>;tag=ada').append('To', '<sip:bank@192.0.2.1>');
  request.headers.append('Call-ID', 'c').append('CSeq', '7 INVITE');
  for (const [name, value] of headers) request.headers.append(name, value);
  return request;
}
const contact: [string, string] = ['Contact', '<sip:ada@192.0.2.2:5070;transport=tcp?Subject=x>;expires=60'];

describe('a dialog as the one called', () => {
  it('sends to the Contact when no proxy stayed on the path', () => {
    const dialog = Dialog.uas(invite(contact), 'bank');
    const bye = dialog.request('BYE');
    expect([bye.uri, dialog.nextHop]).toEqual([
      'sip:ada@192.0.2.2:5070;transport=tcp',
      'sip:ada@192.0.2.2:5070;transport=tcp',
    ]);
    expect(bye.headers.get('from')).toBe('<sip:bank@192.0.2.1>;tag=bank');
    expect(bye.headers.get('to')).toBe('"Ada" <sip:ada@example.com>;tag=ada');
    expect(bye.headers.has('route')).toBe(false);
  });

  it('sends through loose routers in the order they recorded themselves', () => {
    const dialog = Dialog.uas(invite(contact, ['Record-Route', '<sip:p2.example;lr>, <sip:p1.example;lr>']), 'bank');
    const bye = dialog.request('BYE');
    expect(bye.uri).toBe('sip:ada@192.0.2.2:5070;transport=tcp');
    expect(bye.headers.lines('route')).toEqual(['<sip:p2.example;lr>', '<sip:p1.example;lr>']);
    expect(dialog.nextHop).toBe('sip:p2.example;lr');
  });

  it('puts a strict router into the Request-URI and the target at the end of the routes', () => {
    const dialog = Dialog.uas(invite(contact, ['Record-Route', '<sip:old.example>, <sip:p1.example;lr>']), 'bank');
    const bye = dialog.request('BYE');
    expect(bye.uri).toBe('sip:old.example');
    expect(bye.headers.lines('route')).toEqual(['<sip:p1.example;lr>', '<sip:ada@192.0.2.2:5070;transport=tcp>']);
    expect(dialog.nextHop).toBe('sip:old.example');
  });

  it('counts its own requests up, and takes only those of the peer that are not out of order', () => {
    const dialog = Dialog.uas(invite(contact), 'bank');
    const first = dialog.request('BYE').cseq.number;
    expect(dialog.request('BYE').cseq.number).toBe(first + 1);
    expect(dialog.request('ACK', 42).cseq).toEqual({ number: 42, method: 'ACK' });
    expect(dialog.takeRemoteSeq(6)).toBe(false);
    expect(dialog.takeRemoteSeq(12)).toBe(true);
    expect(dialog.takeRemoteSeq(11)).toBe(false);
  });

  it('follows the peer to a new Contact, and stays where a request has none', () => {
    const dialog = Dialog.uas(invite(contact), 'bank');
    dialog.refreshTarget(invite());
    expect(dialog.remoteTarget).toContain('192.0.2.2');
    dialog.refreshTarget(invite(['Contact', '<sip:ada@198.51.100.7>']));
    expect(dialog.remoteTarget).toBe('sip:ada@198.51.100.7');
  });

  it('cannot be made without a Contact, nor with a route that is none', () => {
    expect(() => Dialog.uas(invite(), 'bank')).toThrow(Failure);
    expect(() => Dialog.uas(invite(contact, ['Record-Route', '<nonsense>']), 'bank')).toThrow(Failure);
  });

  it('cannot come back to life', () => {
    const dialog = Dialog.uas(invite(contact), 'bank');
    dialog.move('terminated');
    expect(() => dialog.move('confirmed')).toThrow(Failure);
  });
});

describe('a dialog as the caller', () => {
  it('takes the route set of the final answer, reversed', () => {
    const request = invite(contact);
    const early = createResponse(request, 180, 'bob');
    early.headers.append('Contact', '<sip:bob@192.0.2.3>').append('Record-Route', '<sip:early.example;lr>');
    const dialog = Dialog.uac(request, early);
    expect(dialog.nextHop).toBe('sip:early.example;lr');
    const final = createResponse(request, 200, 'bob');
    final.headers
      .append('Contact', '<sip:bob@192.0.2.4>')
      .append('Record-Route', '<sip:p2.example;lr>, <sip:p1.example;lr>');
    dialog.confirm(final);
    expect(dialog.state).toBe('confirmed');
    const bye = dialog.request('BYE');
    expect(bye.headers.lines('route')).toEqual(['<sip:p1.example;lr>', '<sip:p2.example;lr>']);
    expect([bye.uri, bye.toTag, bye.fromTag]).toEqual(['sip:bob@192.0.2.4', 'bob', 'ada']);
    expect(bye.cseq.number).toBe(8);
  });
});
