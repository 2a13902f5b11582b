import type { SoundSwallowerModule } from 'soundswallower';

/** Calls `use` with the address of the text in the engine's memory, as a C string that is gone afterwards. */
export function withText<T>(engine: SoundSwallowerModule, text: string, use: (address: number) => T): T {
  const bytes = new TextEncoder().encode(text);
  const address = engine._malloc(bytes.length + 1);
  engine.HEAPU8.set(bytes, address);
  engine.HEAPU8[address + bytes.length] = 0;
  try {
    return use(address);
  } finally {
    engine._free(address);
  }
}
