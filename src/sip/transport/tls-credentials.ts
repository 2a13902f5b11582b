import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import type { Ms } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

export interface TlsFiles {
  /** PEM files: the certificate with its chain, and its key. The first pair serves peers that name no server (SNI). */
  certificates: readonly { cert: string; key: string }[];
  /** PEM file with the CAs that peers' certificates must come from; else those Node.js knows. */
  ca: string | undefined;
  /** Do peers that connect by TLS have to show a certificate? `optional`: it is asked for, and Flow.peer says what it is worth. */
  clientCertificates: 'none' | 'optional' | 'required';
}

const LOOK_EVERY: Ms = 5_000;
const DAY: Ms = 86_400_000;
const WARN_DAYS = 14;

interface Pair {
  cert: Buffer;
  key: Buffer;
  leaf: X509Certificate;
  context: SecureContext;
}

interface Loaded {
  pairs: readonly Pair[];
  ca: Buffer | undefined;
}

/**
 * Our certificates and the CAs we trust. The files are looked at every few seconds: what changes serves new connections
 * at once and disturbs no old one; files that do not fit together (half written, say) are not taken, and said so once.
 */
export class TlsCredentials {
  readonly #files: TlsFiles;
  readonly #log: Logger;
  readonly #onChange: (() => void)[] = [];
  #loaded: Loaded;
  #stamp: string;
  #looker: NodeJS.Timeout | undefined;

  /** @throws Failure bad-setting whose message names the file and what is wrong with it */
  constructor(files: TlsFiles, log: Logger) {
    this.#files = files;
    this.#log = log;
    this.#stamp = stampOf(files);
    this.#loaded = load(files);
    this.#warnOfDates();
  }

  /** For `tls.createServer`, `https.createServer` and `setSecureContext`. */
  serverOptions(clientCertificates = this.#files.clientCertificates): TlsOptions {
    const [first] = this.#loaded.pairs;
    return {
      minVersion: 'TLSv1.2',
      cert: first?.cert,
      key: first?.key,
      ca: this.#loaded.ca,
      requestCert: clientCertificates !== 'none',
      rejectUnauthorized: clientCertificates === 'required',
      SNICallback: (name, chosen) => chosen(null, this.#contextFor(name)),
    };
  }

  /** For `tls.connect`: our own certificate, for peers that want one, and whom we trust. */
  clientOptions(): { minVersion: 'TLSv1.2'; cert?: Buffer; key?: Buffer; ca?: Buffer } {
    const [first] = this.#loaded.pairs;
    const { ca } = this.#loaded;
    return {
      minVersion: 'TLSv1.2',
      ...(first === undefined ? {} : { cert: first.cert, key: first.key }),
      ...(ca === undefined ? {} : { ca }),
    };
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
    const stamp = stampOf(this.#files);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#loaded = load(this.#files);
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

  #warnOfDates(): void {
    const now = Date.now();
    for (const { leaf } of this.#loaded.pairs) {
      const days = Math.floor((Date.parse(leaf.validTo) - now) / DAY);
      if (days < WARN_DAYS)
        this.#log.warn({ subject: leaf.subject, validTo: leaf.validTo }, 'TLS certificate runs out');
    }
  }
}

/** Changes when a file does. A file that is gone for a moment is a change as well. */
function stampOf(files: TlsFiles): string {
  const paths = [...files.certificates.flatMap(({ cert, key }) => [cert, key]), ...(files.ca ? [files.ca] : [])];
  return paths
    .map((path) => {
      const facts = statSync(path, { throwIfNoEntry: false });
      return facts === undefined ? '-' : `${facts.ino} ${facts.size} ${facts.mtimeMs}`;
    })
    .join('\n');
}

function load(files: TlsFiles): Loaded {
  const ca = files.ca === undefined ? undefined : authorities(files.ca);
  return { pairs: files.certificates.map(({ cert, key }) => pairOf(cert, key, ca)), ca };
}

function pairOf(certFile: string, keyFile: string, ca: Buffer | undefined): Pair {
  const cert = read(certFile);
  const key = read(keyFile);
  const leaf = certificateIn(cert, certFile);
  try {
    // Requests of this context inherit nothing from the server's first one, so the CAs stand in each.
    const context = createSecureContext({ cert, key, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) });
    return { cert, key, leaf, context };
  } catch (error) {
    const mismatch = (error as { code?: string }).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
    const why = mismatch ? `is not the key of ${certFile}` : 'is not a usable private key in PEM';
    throw badFile(`${keyFile} ${why}`, error);
  }
}

function authorities(file: string): Buffer {
  const bytes = read(file);
  certificateIn(bytes, file);
  return bytes;
}

function certificateIn(bytes: Buffer, file: string): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (error) {
    throw badFile(`${file} has no certificate in PEM`, error);
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw badFile(`${file} cannot be read (${(error as { code?: string }).code ?? 'error'})`, error);
  }
}

function badFile(message: string, cause: unknown): Failure {
  return new Failure(message, { code: 'bad-setting', blame: 'us', cause });
}
