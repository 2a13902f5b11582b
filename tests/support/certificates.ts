import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificate {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of a test's own, made by openssl; its files live in a folder of its own until `remove`. */
export class Authority {
  readonly folder: string;
  /** Path of its certificate. */
  readonly cert: string;
  readonly #key: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.cert = join(folder, 'ca.pem');
    this.#key = join(folder, 'ca.key');
  }

  static async create(name = 'Test CA'): Promise<Authority> {
    const authority = new Authority(await mkdtemp(join(tmpdir(), 'certificates-')));
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', authority.#key, '-out', authority.cert];
    await run('openssl', ['req', '-x509', ...ec, ...files, '-subj', `/CN=${name}`, '-days', '2']);
    return authority;
  }

  /**
   * `altNames` as openssl writes them: `DNS:localhost,IP:127.0.0.1,URI:sip:bank.example`; so are further extensions, e.g.
   * `tlsfeature=status_request`.
   */
  async issue(file: string, commonName: string, altNames: string, ...extensions: string[]): Promise<Certificate> {
    const at = (name: string) => join(this.folder, name);
    const certificate = { cert: at(`${file}.pem`), key: at(`${file}.key`) };
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await run('openssl', [
      ...['req', '-new', ...ec, '-subj', `/CN=${commonName}`],
      ...['-keyout', certificate.key, '-out', at(`${file}.csr`)],
    ]);
    await writeFile(at(`${file}.ext`), [`subjectAltName=${altNames}`, ...extensions, ''].join('\n'));
    await run('openssl', [
      ...['x509', '-req', '-in', at(`${file}.csr`), '-CA', this.cert, '-CAkey', this.#key, '-CAcreateserial'],
      ...['-days', '2', '-extfile', at(`${file}.ext`), '-out', certificate.cert],
    ]);
    return certificate;
  }

  /** Writes its revocation list (PEM) into the file; it runs out after `validMs`, which may be in the past. */
  async revoke(file: string, revoked: readonly Certificate[], validMs = 86_400_000): Promise<string> {
    const path = join(this.folder, file);
    const until = new Date(Date.now() + validMs).toISOString().replace(/[-:T]|\.\d+/g, '');
    // An hour ago at the latest, so that it begins before it ends.
    const since = new Date(Date.now() + Math.min(validMs, 0) - 3_600_000).toISOString().replace(/[-:T]|\.\d+/g, '');
    const config = await this.#bookOf(revoked);
    await run('openssl', [
      ...['ca', '-gencrl', '-config', config, '-cert', this.cert, '-keyfile', this.#key],
      ...['-crl_lastupdate', since, '-crl_nextupdate', until, '-out', path],
    ]);
    return path;
  }

  /**
   * Its OCSP response (DER): a certificate is good, or has been revoked; for a day. `signer`: who signs in its place, known
   * by a certificate that comes along.
   */
  async ocspResponse(certificate: Certificate, { revoked = false, signer = this.#self } = {}): Promise<string> {
    const path = `${certificate.cert}.${revoked ? 'revoked' : 'good'}.${basename(signer.cert)}.ocsp`;
    await (revoked ? this.#bookOf([certificate]) : this.#bookOf([], [certificate]));
    await run('openssl', [
      ...['ocsp', '-index', join(this.folder, 'index.txt'), '-CA', this.cert, '-rsigner', signer.cert],
      ...['-rkey', signer.key, '-issuer', this.cert, '-cert', certificate.cert, '-ndays', '1', '-no_nonce'],
      ...['-respout', path],
    ]);
    return path;
  }

  get #self(): Certificate {
    return { cert: this.cert, key: this.#key };
  }

  /** The list of certificates that `openssl ca` and `openssl ocsp` read. Returns the path of a configuration naming it. */
  async #bookOf(revoked: readonly Certificate[], good: readonly Certificate[] = []): Promise<string> {
    const line = async ({ cert }: Certificate, state: string) => {
      const { stdout } = await run('openssl', ['x509', '-in', cert, '-noout', '-serial']);
      return `${state}\t${stdout.trim().split('=')[1]}\tunknown\t/CN=x\n`;
    };
    const [expires, since] = ['491231235959Z', '250101000000Z'];
    const lines = [
      ...revoked.map((one) => line(one, `R\t${expires}\t${since}`)),
      ...good.map((one) => line(one, `V\t${expires}\t`)),
    ];
    const [book, config] = [join(this.folder, 'index.txt'), join(this.folder, 'ca.cnf')];
    await writeFile(book, (await Promise.all(lines)).join(''));
    await writeFile(config, `[ca]\ndefault_ca=d\n[d]\ndatabase=${book}\ndefault_md=sha256\n`);
    return config;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
