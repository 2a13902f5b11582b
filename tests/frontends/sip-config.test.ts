import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BANK_PROFILE } from '../../src/call/bot/bot-profile.ts';
import { DEFAULT_PROMPTS } from '../../src/call/handover/handover-plan.ts';
import { Failure } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/log.ts';
import { ConfigWatch } from '../../src/frontends/trunks/config-watch.ts';
import { loadSipConfig, type SipConfig, type SipConfigSource } from '../../src/frontends/trunks/sip-config.ts';
import { digestSecret } from '../../src/sip/auth/digest.ts';

const SHIPPED = new URL('../../sip-config', import.meta.url).pathname;
const known = { actions: ['card_delivery', 'block_card'], voices: ['slt', 'rms'], languages: ['en'] };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sip-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (text: string, file = 'a.yaml') => writeFileSync(join(folder, file), text);
const source = (env: Record<string, string> = {}): SipConfigSource => ({ directory: folder, env, known });

function load(text: string, env: Record<string, string> = {}): SipConfig {
  write(text);
  return loadSipConfig(source(env));
}

/** The problems, without the folder. */
function problems(text?: string, env: Record<string, string> = {}): string[] {
  try {
    if (text !== undefined) write(text);
    loadSipConfig(source(env));
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return (error as Failure).message.replaceAll(`${folder}/`, '').split('\n');
  }
  return [];
}

describe('the shipped configuration', () => {
  const config = loadSipConfig({ directory: SHIPPED, env: {}, known });

  it('lets this machine and private networks call the bank, and nobody else', () => {
    const callers = (address: string) => config.trunks.filter(({ from }) => from?.has(address)).map(({ name }) => name);
    expect(callers('127.0.0.1')).toEqual(['this-machine']);
    expect(callers('192.168.1.20')).toEqual(['local-network']);
    expect(callers('198.51.100.1')).toEqual([]);
    const others = config.trunks.filter(({ browser }) => !browser);
    expect(others.every(({ digest, certificate, from }) => from && !digest && !certificate)).toBe(true);
    expect(config.numbers.destination('anything', 'this-machine', new Date())).toEqual({ bot: 'bank' });
  });

  it('has the bank bot as it always was', () => {
    expect(config.bots.get('bank')).toEqual(BANK_PROFILE);
  });
});

describe('a trunk behind an edge', () => {
  it('names a trunk that is there and known by itself, and nothing else it is known by', () => {
    expect(
      problems(`trunks:
  - { name: edge, from: 192.0.2.1 }
  - { name: a, behind: edge }
  - { name: b, behind: nobody }
  - { name: c, behind: a }
`),
    ).toEqual([
      'a.yaml:4:24: trunks.2.behind: there is no trunk "nobody"',
      'a.yaml:5:24: trunks.3.behind: "a" is itself behind another trunk',
    ]);
    expect(
      problems('trunks:\n  - { name: edge, from: 192.0.2.1 }\n  - { name: a, behind: edge, from: 192.0.2.2 }\n'),
    ).toHaveLength(1);
  });
});

describe('the line of supervisors', () => {
  const line = (codes: string, trunks = '[office]') =>
    `trunks: [{ name: office, from: 192.0.2.1 }, { name: carrier, from: 192.0.2.2 }]
numbers: [{ any: true, bot: bank }]
bots: [{ name: bank }]
supervisors:
  number: "9000"
  trunks: ${trunks}
  codes: [${codes}]
`;
  const ANNA = `{ name: anna, code: "\${ANNA}" }`;

  it('is reached from its trunks only, by codes that stand elsewhere', () => {
    const { numbers, supervisors } = load(line(ANNA), { ANNA: '482915' });
    expect(numbers.destination('9000', 'office', new Date())).toEqual({ supervisors: true });
    expect(numbers.destination('9000', 'carrier', new Date())).toEqual({ bot: 'bank' });
    expect([supervisors?.whose('482915'), supervisors?.whose('482916')]).toEqual(['anna', undefined]);
    expect(load('trunks: [{ name: office, from: 192.0.2.1 }]').supervisors).toBeUndefined();
  });

  it('is refused with codes that are short, the same, or not there, and with trunks that are not there', () => {
    const bob = '{ name: bob, codeFile: none }';
    expect(problems(line(`${ANNA}, ${ANNA.replace('anna', 'eve')}, ${bob}`, '[nowhere]'), { ANNA: '12345' })).toEqual([
      'a.yaml:6:12: supervisors.trunks.0: there is no trunk "nowhere"',
      'a.yaml:7:31: supervisors.codes.0.code: must lead to 6 to 16 digits',
      'a.yaml:7:63: supervisors.codes.1.code: must lead to 6 to 16 digits',
      'a.yaml:7:63: supervisors.codes.1.code: is the code of another supervisor',
      expect.stringMatching(/^a\.yaml:7:\d+: supervisors\.codes\.2\.codeFile: .*no such file/),
    ]);
    expect(problems(line('"482915"'))).toHaveLength(1);
    expect(problems(line(ANNA))).toEqual(['a.yaml:7:31: supervisors.codes.0.code: the environment has no ANNA']);
  });
});

describe('gateways and registrations', () => {
  const to = 'to: x.example, destinations: [{ prefix: "+49" }]';

  it('are refused where their form is wrong, and no password is repeated', () => {
    const found = problems(`gateways:
  - { name: a, to: "sip:user@x.example", destinations: [{ prefix: "+49" }] }
  - { name: b, destinations: [{ prefix: "+49" }] }
  - { name: c, to: x.example, destinations: [] }
  - { name: d, to: x.example, destinations: [{ prefix: "+49", number: "1" }] }
  - { name: e, ${to}, auth: { user: u, password: hunter2 } }
  - { name: f, ${to}, headers: { Route: "<sip:evil.example>" } }
  - { name: g, ${to}, limits: { callsPerDay: 0 } }
registrations:
  - { name: h, registrar: x.example }
`);
    expect(found).toEqual([
      expect.stringMatching(/^a\.yaml:2:\d+: gateways\.0\.to: must be a place/),
      expect.stringMatching(/^a\.yaml:3:\d+: gateways\.1: needs `to`/),
      expect.stringMatching(/^a\.yaml:4:\d+: gateways\.2\.destinations: /),
      expect.stringMatching(/^a\.yaml:5:\d+: gateways\.3\.destinations\.0: needs one of/),
      expect.stringMatching(/^a\.yaml:6:\d+: gateways\.4\.auth\.password: must be a reference/),
      expect.stringMatching(/^a\.yaml:7:\d+: gateways\.5\.headers\.Route: /),
      expect.stringMatching(/^a\.yaml:8:\d+: gateways\.6\.limits\.callsPerDay: /),
      expect.stringMatching(/^a\.yaml:10:\d+: registrations\.0\.user: /),
    ]);
    expect(found.join()).not.toContain('hunter2');
  });

  it('are refused where they lead nowhere', () => {
    const found = problems(`trunks: [{ name: pbx, from: 192.0.2.1 }]
gateways:
  - { name: a, ${to}, auth: { user: u, password: "\${GONE}" }, registration: nowhere }
  - { name: a, ${to}, from: { assert: true } }
registrations:
  - { name: pbx, registrar: y.example, user: "200", bot: nobody }
`);
    expect(found.map((problem) => problem.replace(/^a\.yaml:(\d+):\d+: /, '$1 ')).toSorted()).toEqual([
      '3 gateways.0.auth.password: the environment has no GONE',
      '3 gateways.0.registration: there is no registration "nowhere"',
      '4 gateways.1.from.assert: needs a number to assert',
      '4 gateways.1.name: there is another gateway "a"',
      '6 registrations.0.bot: there is no bot "nobody"',
      '6 registrations.0.name: there is a trunk "pbx"',
    ]);
  });

  it('are none as shipped: nothing is dialled, and nobody is registered with', () => {
    const { gateways, registrations } = loadSipConfig({ directory: SHIPPED, env: {}, known });
    expect([gateways, registrations]).toEqual([[], []]);
  });
});

describe('a configuration', () => {
  it('is made of all files of the folder', () => {
    write('trunks: [{ name: carrier, from: 192.0.2.0/24, trustIdentity: true, limits: { calls: 3 } }]', 'trunks.yaml');
    write('bots: [{ name: rms, voice: rms, actions: [block_card], prompts: { greeting: Hi. } }]', 'bots.yml');
    write('numbers: [{ number: "1-0-0", bot: rms, trunks: [carrier] }]', 'numbers.yaml');
    write('this is: not: read', 'notes.txt');
    const config = loadSipConfig(source());
    expect(config.trunks).toMatchObject([{ name: 'carrier', trustIdentity: true, named: true, limits: { calls: 3 } }]);
    expect(config.bots.get('rms')).toMatchObject({
      voice: 'rms',
      actions: ['block_card'],
      prompts: { ...BANK_PROFILE.prompts, greeting: 'Hi.' },
      version: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    expect(config.numbers.destination('100', 'carrier', new Date())).toEqual({ bot: 'rms' });
    expect(config.numbers.destination('100', 'other', new Date())).toEqual({ refuse: { status: 404 } });
  });

  it('takes passwords from the environment and from files, and keeps only what they hash to', () => {
    write('hidden in a file\n', 'branch.secret');
    const md5 = digestSecret('MD5', 'c', 'bank', 'third');
    const config = load(
      `realm: bank
trunks:
  - name: pbx
    digest:
      algorithms: [MD5]
      users:
        - { name: a, password: "\${PBX_PASSWORD}" }
        - { name: b, passwordFile: branch.secret }
        - { name: c, secrets: { MD5: ${md5.toUpperCase()} } }`,
      { PBX_PASSWORD: 'out of the environment' },
    );
    const { users } = config.trunks[0]!.digest!;
    expect(Object.fromEntries(users)).toEqual({
      a: { MD5: digestSecret('MD5', 'a', 'bank', 'out of the environment') },
      b: { MD5: digestSecret('MD5', 'b', 'bank', 'hidden in a file') },
      c: { MD5: md5 },
    });
    expect(JSON.stringify(config)).not.toContain('environment');
  });
});

describe('a mistake is told with file, line and column:', () => {
  it.each([
    ['no YAML', 'trunks:\n  - name: a\n   from: any\n', /^a\.yaml:\d+:\d+: /],
    ['an unknown key', 'trunks:\n  - name: a\n    form: any\n', /^a\.yaml:3:\d+: trunks\.0\.form: Unrecognized key/],
    [
      'no address',
      'trunks:\n  - name: a\n    from: [127.0.0.1, here]\n',
      /^a\.yaml:3:23: trunks\.0\.from\.1: must be an IP/,
    ],
    ['a trunk for nobody', 'trunks:\n  - name: a\n', /^a\.yaml:2:5: trunks\.0: needs at least one of from/],
    [
      'a limit of none',
      'trunks:\n  - name: a\n    from: any\n    limits: { calls: 0 }\n',
      /^a\.yaml:4:22: trunks\.0\.limits\.calls/,
    ],
    [
      'an unknown bot',
      'numbers:\n  - any: true\n    bot: bank\n',
      /^a\.yaml:3:10: numbers\.0\.bot: there is no bot "bank"$/,
    ],
    [
      'an unknown trunk',
      'bots: [{name: b}]\nnumbers:\n  - any: true\n    bot: b\n    trunks: [x]\n',
      /^a\.yaml:5:14: .*no trunk "x"$/,
    ],
    [
      'an encryption there is not',
      'trunks:\n  - name: a\n    from: any\n    media: { encryption: maybe }\n',
      /^a\.yaml:4:26: trunks\.0\.media\.encryption: must be off, optional or required/,
    ],
    ['an unknown voice', 'bots:\n  - name: b\n    voice: eve\n', /^a\.yaml:3:12: bots\.0\.voice: is none of slt, rms$/],
    [
      'an unknown action',
      'bots:\n  - name: b\n    actions: [fly]\n',
      /^a\.yaml:3:15: bots\.0\.actions\.0: there is no action "fly"$/,
    ],
    ['a language nobody speaks', 'bots:\n  - name: b\n    language: de\n', /^a\.yaml:3:15: .*speak en only$/],
    ['no time zone', 'hours:\n  - name: o\n    zone: Mars/Base\n    week: {}\n', /^a\.yaml:3:11: .*time zone/],
    ['no hours', 'hours:\n  - name: o\n    zone: UTC\n    week: { mon: "9 to 5" }\n', /^a\.yaml:4:18: .*must be times/],
    [
      'a number without quotes',
      'bots: [{name: b}]\nnumbers:\n  - { number: 0049, bot: b }\n',
      /^a\.yaml:3:15: .*must stand in quotes/,
    ],
    [
      'no expression',
      'bots: [{name: b}]\nnumbers:\n  - pattern: "("\n    bot: b\n',
      /^a\.yaml:3:14: .*not a regular expression/,
    ],
    [
      'two numbers',
      'bots: [{name: b}]\nnumbers:\n  - { number: "1", bot: b }\n  - { number: "1", bot: b }\n',
      /^a\.yaml:4:5: .*another rule/,
    ],
    [
      'two trunks',
      'trunks:\n  - { name: a, from: any }\n  - { name: a, from: any }\n',
      /^a\.yaml:3:13: .*another trunk "a"/,
    ],
    [
      'a password in the file',
      'trunks:\n  - name: a\n    digest:\n      users: [{ name: u, password: hunter2 }]\n',
      /^a\.yaml:4:36: .*must be a reference/,
    ],
    [
      'a password that is not there',
      `trunks:\n  - name: a\n    digest:\n      users: [{ name: u, password: "\${NONE}" }]\n`,
      /^a\.yaml:4:36: .*the environment has no NONE$/,
    ],
    [
      'a file that is not there',
      'trunks:\n  - name: a\n    digest:\n      users: [{ name: u, passwordFile: none }]\n',
      /^a\.yaml:4:40: .*ENOENT/,
    ],
  ])('%s', (_what, text, line) => {
    const [first, ...more] = problems(text);
    expect(first).toMatch(line);
    expect(more.length).toBeLessThan(3);
    expect(first).not.toContain('hunter2');
  });

  it('all mistakes at once, and names that two files claim', () => {
    write('trunks:\n  - { name: a, from: any }\n', 'a.yaml');
    write('realm: x\ntrunks:\n  - { name: a, from: any }\n  - { name: b, from: x }\n', 'b.yaml');
    expect(problems()).toEqual([expect.stringMatching(/^b\.yaml:4:22: /)]);
    write('realm: x\ntrunks:\n  - { name: a, from: any }\n', 'b.yaml');
    write('realm: y\n', 'c.yaml');
    expect(problems()).toEqual([
      expect.stringMatching(/^c\.yaml:1:8: realm: stands in another file/),
      expect.stringMatching(/^b\.yaml:3:13: .*another trunk/),
    ]);
  });

  it('an empty folder, and one that is not there', () => {
    expect(problems()[0]).toContain('no .yaml file');
    const missing = { ...source(), directory: join(folder, 'none') };
    expect(() => loadSipConfig(missing)).toThrow('ENOENT');
  });

  it('whatever is in the file, it is a configuration or a list of places', () => {
    const words = fc.constantFrom(
      'trunks',
      'bots',
      'name',
      'from',
      'any',
      'digest',
      'numbers',
      '-',
      ':',
      '[',
      ']',
      '{',
      '}',
      '\n',
      '  ',
      '"',
      '&a',
      '*a',
      '1',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), (some) => {
        for (const line of problems(some.join(' '))) expect(line).toMatch(/^a\.yaml:\d+:\d+: ./);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a running connector', () => {
  it('takes over a good edit by itself, keeps what it has at a bad one and says why, and recovers', async () => {
    write('trunks: [{ name: one, from: loopback }]');
    const changes: string[] = [];
    const watch = new ConfigWatch(source(), silentLogger, ({ trunks }) => changes.push(trunks[0]!.name));
    watch.watch();
    try {
      write('trunks: [{ name: two, from: loopback }]');
      await expect.poll(() => watch.current.trunks[0]?.name).toBe('two');
      write('trunks: [{ name: two, from: nowhere }]');
      await expect.poll(() => watch.state.error).toMatch(/a\.yaml:1:29: trunks\.0\.from/);
      expect(watch.current.trunks[0]?.name).toBe('two');
      expect(await watch.health()).toMatchObject({ ok: false, detail: expect.stringContaining('a.yaml:1:29') });
      write('trunks: [{ name: three, from: loopback }]');
      await expect.poll(() => watch.state.error).toBeUndefined();
      expect(changes).toEqual(['two', 'three']);
      expect(await watch.health()).toMatchObject({ ok: true });
    } finally {
      watch.close();
    }
  });

  it('reads again when asked (SIGHUP)', () => {
    write('trunks: [{ name: one, from: loopback }]');
    const watch = new ConfigWatch(source(), silentLogger);
    write('trunks: [{ name: two, from: loopback }]');
    expect(watch.current.trunks[0]?.name).toBe('one');
    expect(watch.reload()).toBe(true);
    expect(watch.current.trunks[0]?.name).toBe('two');
  });
});

describe('the people behind the bots', () => {
  const hours = 'hours: [{ name: office, zone: UTC, week: {} }]\n';

  it('are nobody, where nothing is said of them', () => {
    expect(load('realm: x').handover).toEqual({ queues: new Map(), standard: undefined });
  });

  it('stand in queues, each with the words and times of its own', () => {
    const { handover } = load(
      `${hours}handover:
  default: service
  queues:
    - name: service
      hours: office
      announceSeconds: 20
      leaveKey: null
      prompts: { nobody: Nobody is free. }
      briefing: { spoken: false, webhook: { url: "https://crm.example/x", secret: "\${CRM}" } }
      targets: [{ name: anna, to: "+1 (555) 01-23", ringSeconds: 10, how: refer }]
`,
      { CRM: 'secret' },
    );
    const queue = handover.standard!;
    expect(queue).toMatchObject({
      targets: [{ name: 'anna', to: '+15550123', way: 'refer', ringMs: 10_000, calls: 1 }],
      places: 20,
      maxWaitMs: 120_000,
      announceMs: 20_000,
      leaveKey: undefined,
      afterwards: 'end',
      briefing: { spoken: undefined, webhook: { url: 'https://crm.example/x', secret: 'secret' } },
    });
    expect(queue.isOpen(new Date())).toBe(false);
    expect([queue.prompts.nobody, queue.prompts.closed]).toEqual(['Nobody is free.', DEFAULT_PROMPTS.closed]);
  });

  it('every mistake is told with its place', () => {
    const text = `handover:
  default: sales
  queues:
    - name: service
      hours: office
      targets: [{ name: anna, to: "1", gateway: pbx }, { name: anna, to: "2" }]
      briefing: { webhook: { url: "https://crm.example", secret: "\${CRM}" } }
    - { name: service, targets: [{ name: ben, to: "3" }] }
`;
    expect(problems(text)).toEqual([
      'a.yaml:5:14: handover.queues.0.hours: there are no hours "office"',
      'a.yaml:6:49: handover.queues.0.targets.0.gateway: there is no gateway "pbx"',
      'a.yaml:6:64: handover.queues.0.targets.1.name: there is another target "anna"',
      'a.yaml:7:66: handover.queues.0.briefing.webhook.secret: the environment has no CRM',
      'a.yaml:8:15: handover.queues.1.name: there is another queue "service"',
      'a.yaml:2:12: handover.default: there is no queue "sales"',
    ]);
    expect(problems('handover: { queues: [{ name: q, targets: [] }] }')).toHaveLength(1);
    const keys = 'briefing: { acceptKey: "1", declineKey: "1" }';
    expect(problems(`handover: { queues: [{ name: q, ${keys}, targets: [{ name: a, to: "1" }] }] }`)[0]).toContain(
      'acceptKey and declineKey must differ',
    );
  });
});
