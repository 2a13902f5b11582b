/** What a phone that takes calls may be named, as a pattern: in `phone:anna`, in its credentials, in the API. */
export const PHONE_NAME = '[A-Za-z0-9][\\w.-]{0,63}';

/**
 * What a phone in a browser may do with its credentials: call the bots, take the one place in a call that a supervisor was
 * given, or be rung as `name` (and call nobody).
 */
export type PhoneGrant =
  | { may: 'call' }
  | { may: 'supervise'; supervisionId: string }
  | { may: 'be-called'; name: string };

/** What a browser shows to be let in. */
export interface PhoneCredentials {
  username: string;
  password: string;
  expiresAt: Date;
}

/** Where a browser's phone finds us. */
export interface PhonePlace {
  realm: string;
  /** SIP over WebSocket; `host` undefined: the one the page came from. */
  webSocket: { secure: boolean; host: string | undefined; port: number };
}

/** A phone in a browser that can be called now. */
export interface RegisteredPhone {
  name: string;
  since: Date;
}

/** Lets browsers call: the port of the HTTP API, implemented by the SIP front end. */
export interface PhoneDesk {
  issue(grant: PhoneGrant): PhoneCredentials;
  /** Undefined where no WebSocket is listened to, or no trunk takes browser phones. `secure`: the page came by HTTPS. */
  place(secure: boolean): PhonePlace | undefined;
  /** Those that take calls. */
  registered(): RegisteredPhone[];
}
