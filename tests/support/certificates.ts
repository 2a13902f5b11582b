import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

  /** `altNames` as openssl writes them: `DNS:localhost,IP:127.0.0.1,URI:sip:bank.example`. */
  async issue(file: string, commonName: string, altNames: string): Promise<Certificate> {
    const at = (name: string) => join(this.folder, name);
    const certificate = { cert: at(`${file}.pem`), key: at(`${file}.key`) };
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await run('openssl', [
      ...['req', '-new', ...ec, '-subj', `/CN=${commonName}`],
      ...['-keyout', certificate.key, '-out', at(`${file}.csr`)],
    ]);
    await writeFile(at(`${file}.ext`), `subjectAltName=${altNames}\n`);
    await run('openssl', [
      ...['x509', '-req', '-in', at(`${file}.csr`), '-CA', this.cert, '-CAkey', this.#key, '-CAcreateserial'],
      ...['-days', '2', '-extfile', at(`${file}.ext`), '-out', certificate.cert],
    ]);
    return certificate;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
