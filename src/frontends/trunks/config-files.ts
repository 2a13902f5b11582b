import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkedYaml, type YamlPath } from '../../core/checked-yaml.ts';
import { asFailure, Failure } from '../../core/errors.ts';
import type { Note } from './note.ts';
import { fileSchema, type SipConfigFile } from './schema.ts';

/** Settings that may stand in one file only, and lists that all files add to. */
type Only = 'realm' | 'admission' | 'handover' | 'supervisors';
type Section = 'trunks' | 'bots' | 'hours' | 'numbers' | 'gateways' | 'registrations';
type Entry<K extends Section> = NonNullable<SipConfigFile[K]>[number];

interface CheckedFile {
  data: SipConfigFile;
  at(path: YamlPath): string;
}

/** The YAML files of a folder as one, in the order of their names, and what is wrong in them, each with its place. */
export class ConfigFiles {
  readonly folder: string;
  /** Twelve hex digits over the contents. */
  readonly version: string;
  readonly #files: readonly CheckedFile[];
  readonly #problems: string[] = [];

  /** @throws Failure bad-sip-config with a line for every file that cannot be read and every entry of the wrong form */
  constructor(directory: string) {
    this.folder = resolve(directory);
    const texts = readTexts(this.folder);
    this.#files = texts.flatMap(([file, text]) => {
      const checked = checkedYaml(text, file, fileSchema);
      if (!('problems' in checked)) return [checked];
      this.#problems.push(...checked.problems);
      return [];
    });
    this.check();
    this.version = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 12);
  }

  /** @throws Failure bad-sip-config with everything that has been noted; returns when nothing has */
  check(): void {
    if (this.#problems.length > 0) throw bad(this.#problems);
  }

  only<K extends Only>(key: K): SipConfigFile[K] {
    const [first, second] = this.#files.filter(({ data }) => data[key] !== undefined);
    if (second) this.#problems.push(`${second.at([key])}: ${key}: stands in another file as well`);
    return first?.data[key];
  }

  /** For a setting that stands somewhere: `only` has found it. */
  noteIn(key: Only): Note {
    return this.#noteAt(this.#files.find(({ data }) => data[key] !== undefined)!.at, key);
  }

  each<K extends Section, T>(key: K, make: (entry: Entry<K>, note: Note) => T): T[] {
    return this.#files.flatMap(({ data, at }) =>
      ((data[key] ?? []) as Entry<K>[]).map((entry, index) => make(entry, this.#noteAt(at, key, index))),
    );
  }

  named<K extends Exclude<Section, 'numbers'>, T>(key: K, make: (entry: Entry<K>, note: Note) => T): Map<string, T> {
    const made = new Map<string, T>();
    this.each(key, (entry, note) => {
      const { name } = entry as { name: string };
      if (made.has(name)) note(['name'], `there is another ${key === 'hours' ? 'hours' : key.slice(0, -1)} "${name}"`);
      made.set(name, make(entry, note));
    });
    return made;
  }

  #noteAt(at: CheckedFile['at'], ...place: YamlPath): Note {
    return (path, message) => {
      const whole = [...place, ...path];
      this.#problems.push(`${at(whole)}: ${whole.join('.')}: ${message}`);
    };
  }
}

function readTexts(folder: string): [file: string, text: string][] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'));
  } catch (error) {
    throw bad([`${folder}: ${asFailure(error).message}`]);
  }
  if (names.length === 0) throw bad([`${folder}: there is no .yaml file in it`]);
  return names.toSorted().map((name) => {
    const file = join(folder, name);
    try {
      return [file, readFileSync(file, 'utf8')];
    } catch (error) {
      throw bad([`${file}: ${asFailure(error).message}`]);
    }
  });
}

function bad(problems: readonly string[]): Failure {
  return new Failure(problems.join('\n'), { code: 'bad-sip-config', blame: 'us' });
}
