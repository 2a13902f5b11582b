import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, type TestServer, type TestServerOptions, TOKEN } from '../http/fixtures.ts';
import { type Browser, buildConsole, openBrowser, signIn } from './browser.ts';

/** The page as it is shipped, served over an archive in memory, and staff who are signed in at a browser. */
export interface ServedPage extends Pick<Browser, 'page' | 'troubles'> {
  readonly server: TestServer;
  /** Where the page was built. */
  readonly dist: string;
  close(): Promise<void>;
}

/** `fill`: what is there when they sign in. */
export async function servePage(
  options: TestServerOptions,
  fill: (server: TestServer) => void | Promise<void>,
): Promise<ServedPage> {
  const dist = await mkdtemp(join(tmpdir(), 'svc-console-'));
  let server: TestServer | undefined;
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await server?.close();
    await rm(dist, { recursive: true, force: true });
  };
  try {
    await buildConsole(dist);
    server = await startServer({ ...options, consoleDir: dist });
    await fill(server);
    browser = await openBrowser();
    const { page, troubles } = browser;
    await signIn(page, server.url, TOKEN);
    return { server, page, troubles, dist, close };
  } catch (error) {
    // Nobody else knows of what has been opened by then.
    await close();
    throw error;
  }
}
