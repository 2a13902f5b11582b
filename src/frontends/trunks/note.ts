import type { YamlPath } from '../../core/checked-yaml.ts';

/** Notes what is wrong at a path below some entry of sip-config/. */
export type Note = (path: YamlPath, message: string) => void;
