// A process with an embedded database in the folder given: prints the server's pid, then waits to be killed.
import { silentLogger } from '../../../src/core/log.ts';
import { EmbeddedPostgres } from '../../../src/store/postgres/embedded.ts';

try {
  const postgres = await EmbeddedPostgres.open({ dataDir: process.argv[2]!, log: silentLogger });
  process.stdout.write(`${postgres.pid}\n`);
  setInterval(() => undefined, 60_000);
} catch {
  process.exit(1);
}
