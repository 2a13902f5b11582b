import type { SipRequest } from '../../sip/message/message.ts';

/** User agents of tools that look for open PBXs; nobody makes calls with them. */
const SCANNERS =
  /friendly-scanner|friendly-request|sipvicious|sipsak|sip-?scan|sundayddr|sipcli|\biwar\b|vaxsipuseragent|pplsip|\bsmap\b|svwar|svmap|svcrack|nmap|masscan|zgrab|scanner/i;

/** Does it say itself that it is a scanner? */
export function isScanner(request: SipRequest): boolean {
  return SCANNERS.test(request.headers.get('user-agent') ?? '');
}
