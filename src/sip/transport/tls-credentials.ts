import type { SecureContext, Server, TlsOptions } from 'node:tls';
import type { Ms } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { isRevoked } from './revocation.ts';
import { type LoadedTls, loadTls, stampOf, type TlsFiles } from './tls-files.ts';

const LOOK_EVERY: Ms = 5_000;
const DAY: Ms = 86_400_000;
const WARN_DAYS = 14;

/**
 * Our certificates, the CAs we trust and what these have revoked. The files are looked at every few seconds: what
 * changes serves new connections at once and disturbs no old one, but for those of who has been revoked; files that do
 * not fit together (half written, say) are not taken, and said so once.
 */
export class TlsCredentials {
  readonly #files: TlsFiles;
  readonly #log: Logger;
  readonly #onChange: (() => void)[] = [];
  #loaded: LoadedTls;
  /** What has run out and was said to have: lists and responses have to be brought anew again and again. */
  #stale = '';
  #stamp: string;
  #looker: NodeJS.Timeout | undefined;

  /** @throws Failure bad-setting whose message names the file and what is wrong with it */
  constructor(files: TlsFiles, log: Logger) {
    this.#files = files;
    this.#log = log;
    this.#stamp = stampOf(files);
    this.#loaded = loadTls(files);
    this.#warnOfDates();
    this.#warnOfStale();
  }

  /** For `tls.createServer`, `https.createServer` and `setSecureContext`. */
  serverOptions(clientCertificates = this.#files.clientCertificates): TlsOptions {
    const [first] = this.#loaded.pairs;
    return {
      minVersion: 'TLSv1.2',
      cert: first?.cert,
      key: first?.key,
      ...this.#loaded.trust,
      requestCert: clientCertificates !== 'none',
      rejectUnauthorized: clientCertificates === 'required',
      SNICallback: (name, chosen) => chosen(null, this.#contextFor(name)),
    };
  }

  /** For `tls.connect`: our own certificate, for peers that want one, and whom we trust. */
  clientOptions(): { minVersion: 'TLSv1.2'; cert?: Buffer; key?: Buffer; ca?: Buffer; crl?: string[] } {
    const [first] = this.#loaded.pairs;
    const own = first === undefined ? {} : { cert: first.cert, key: first.key };
    return { minVersion: 'TLSv1.2', ...own, ...this.#loaded.trust };
  }

  /** Lets a server show what the CA says of our certificate to those who ask (OCSP stapling, RFC 6066 8). */
  staple(server: Server): void {
    server.on('OCSPRequest', (certificate, _issuer, answer) => {
      const { ocsp } = this.#loaded.pairs.find(({ leaf }) => leaf.raw.equals(certificate)) ?? {};
      // One that has run out is worse than none: some clients end the connection for it.
      const fresh = ocsp !== undefined && ocsp.nextUpdate > Date.now();
      // Not in Node's types: without a response `null` stands for none.
      answer(null, (fresh ? ocsp.response : null) as Buffer);
    });
  }

  /** Has this certificate (DER), verified when its connection began, been revoked since? */
  hasRevoked(certificate: Buffer): boolean {
    return isRevoked(this.#loaded.lists, certificate);
  }

  /** Told when new files have been taken. */
  onChange(listener: () => void): void {
    this.#onChange.push(listener);
  }

  /** Starts looking at the files. */
  watch(): void {
    this.#looker ??= setInterval(() => this.look(), LOOK_EVERY);
    this.#looker.unref();
  }

  /** Takes the files if they have changed. Never throws. */
  look(): void {
    this.#warnOfStale();
    const stamp = stampOf(this.#files);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#loaded = loadTls(this.#files);
    } catch (error) {
      this.#log.error({ err: error }, 'changed TLS files were not taken; the old ones go on serving');
      return;
    }
    for (const listener of this.#onChange) listener();
    const [first] = this.#loaded.pairs;
    this.#log.info({ validTo: first?.leaf.validTo, fingerprint256: first?.leaf.fingerprint256 }, 'TLS files reloaded');
    this.#warnOfDates();
  }

  /** Idempotent. */
  close(): void {
    clearInterval(this.#looker);
    this.#looker = undefined;
  }

  /** Names nobody's certificate has get the first pair: the peer will see that it does not fit. */
  #contextFor(name: string): SecureContext | undefined {
    const { pairs } = this.#loaded;
    return (pairs.find(({ leaf }) => leaf.checkHost(name) !== undefined) ?? pairs[0])?.context;
  }

  #warnOfStale(): void {
    const now = Date.now();
    const lists = this.#loaded.lists.filter(({ nextUpdate }) => nextUpdate !== undefined && nextUpdate < now).length;
    const responses = this.#loaded.pairs.filter(({ ocsp }) => ocsp !== undefined && ocsp.nextUpdate < now).length;
    const stale = `${lists} ${responses}`;
    if (stale === this.#stale) return;
    this.#stale = stale;
    if (lists > 0) this.#log.error({ lists }, 'revocation lists have run out: certificates of their CAs are refused');
    if (responses > 0) this.#log.warn({ responses }, 'OCSP responses have run out and are not shown');
  }

  #warnOfDates(): void {
    const now = Date.now();
    for (const { leaf } of this.#loaded.pairs) {
      const days = Math.floor((Date.parse(leaf.validTo) - now) / DAY);
      if (days < WARN_DAYS)
        this.#log.warn({ subject: leaf.subject, validTo: leaf.validTo }, 'TLS certificate runs out');
    }
  }
}
