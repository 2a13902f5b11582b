import { Failure } from '../../../src/core/errors.ts';
import type { CallEnd } from './sip-call.ts';

/** The call was never answered. */
export class DialRefused extends Failure {
  readonly status: number;
  readonly end: CallEnd;
  constructor(end: CallEnd) {
    const status = end.status ?? 0;
    super(`not answered: ${end.how}${status ? ` ${status} ${end.reason ?? ''}` : ''}`.trim(), {
      code: 'dial-refused',
      blame: end.by === 'network' ? 'network' : 'us',
      sipStatus: end.status,
      retryable: end.retryAfterSeconds !== undefined,
    });
    this.status = status;
    this.end = end;
  }
}

/** The call ended while something was still waited for. */
export class HungUp extends Failure {
  readonly end: CallEnd | undefined;
  constructor(what: string, end: CallEnd | undefined) {
    super(`the call ended (${end ? `${end.by}, ${end.how}` : 'phone closed'}) while waiting for ${what}`, {
      code: 'hung-up',
      blame: 'us',
    });
    this.end = end;
  }
}

/** Waited for in vain. */
export class FarEndSilent extends Failure {
  constructor(what: string) {
    super(`waited in vain for ${what}`, { code: 'far-end-silent', blame: 'us' });
  }
}
