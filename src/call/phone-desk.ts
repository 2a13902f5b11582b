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

/** Lets browsers call: the port of the HTTP API, implemented by the SIP front end. */
export interface PhoneDesk {
  issue(): PhoneCredentials;
  /** Undefined where no WebSocket is listened to, or no trunk takes browser phones. `secure`: the page came by HTTPS. */
  place(secure: boolean): PhonePlace | undefined;
}
