/**
 * As much of WebAssembly's binary format (core specification 3.0, with multiple memories and 128-bit SIMD) as kernel.ts
 * needs. Code is nested lists of bytes in stack order.
 */
export type Code = readonly (number | Code)[];

export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof F32 | typeof V128;

/** Little-endian base 128, without a sign. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const bits = rest & 0x7f;
    const last = (rest >> 7 === 0 && (bits & 0x40) === 0) || (rest >> 7 === -1 && (bits & 0x40) !== 0);
    if (last) return [...bytes, bits];
    bytes.push(bits | 0x80);
  }
}

export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];
export const tee = (local: number, value: Code): Code => [value, 0x22, unsigned(local)];
export const global = (index: number): Code => [0x23, unsigned(index)];
export const call = (index: number, ...parameters: Code[]): Code => [parameters, 0x10, unsigned(index)];

/** Repeats `body` as long as it leaves something else than 0. */
export const repeat = (...body: Code[]): Code => [0x03, 0x40, body, 0x0d, 0, 0x0b];
export const when = (condition: Code, ...body: Code[]): Code => [condition, 0x04, 0x40, body, 0x0b];
export const leave = (condition: Code): Code => when(condition, [0x0f]);
/** Leaves the function with `value` where the condition holds. */
export const leaveWith = (condition: Code, value: Code): Code => when(condition, value, [0x0f]);
/** `yes` and `no` are both computed. */
export const choose = (condition: Code, yes: Code, no: Code): Code => [yes, no, condition, 0x1b];

const binary =
  (...opcode: number[]) =>
  (a: Code, b: Code): Code => [a, b, opcode];
const unary =
  (...opcode: number[]) =>
  (a: Code): Code => [a, opcode];
/** Of memory number `memory`, `offset` bytes behind the address; `align`: its power of two. */
const access =
  (opcode: Code, align: number) =>
  (memory: number, address: Code, offset = 0): Code => [
    address,
    opcode,
    memory === 0 ? align : [align | 0x40, unsigned(memory)],
    unsigned(offset),
  ];

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  load: access([0x28], 2),
  store: (memory: number, address: Code, value: Code, offset = 0): Code =>
    access([value, 0x36], 2)(memory, address, offset),
  loadByte: access([0x2d], 0),
  storeByte: (memory: number, address: Code, value: Code, offset = 0): Code =>
    access([value, 0x3a], 0)(memory, address, offset),
  loadShort: access([0x2e], 1),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  shl: binary(0x74),
  shiftRight: binary(0x76),
  shiftRightSigned: binary(0x75),
  eq: binary(0x46),
  less: binary(0x48),
  /** Towards 0; what is out of range becomes the nearest. */
  fromF32: unary(0xfc, 0x00),
};
export const f32 = {
  load: access([0x2a], 2),
  sub: binary(0x93),
  mul: binary(0x94),
  less: binary(0x5d),
  fromI32: unary(0xb2),
};
const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
export const f32x4 = {
  load: access(simd(0x00), 2),
  /** One number in all four places. */
  loadSplat: access(simd(0x09), 2),
  splat: unary(...simd(0x13)),
  lane: (value: Code, lane: number): Code => [value, simd(0x1f), lane],
  sub: binary(...simd(0xe5)),
  mul: binary(...simd(0xe6)),
  /** All bits set where it holds. */
  notLess: binary(...simd(0x46)),
};
export const i16x8 = {
  splat: unary(...simd(0x10)),
  /** Eight bytes without a sign. */
  loadBytes: access(simd(0x02), 0),
  add: binary(...simd(0x8e)),
  sub: binary(...simd(0x91)),
  abs: unary(...simd(0x80)),
  least: binary(...simd(0x96)),
};
export const i8x16 = {
  const: (bytes: readonly number[]): Code => [simd(0x0c), bytes],
  sub: binary(...simd(0x71)),
  /** The bytes of the first at the places that the second names; 0 where it names none (16 and more). */
  pick: binary(...simd(0x0e)),
};
export const v128 = {
  load: access(simd(0x00), 0),
  store: (memory: number, address: Code, value: Code, offset = 0): Code =>
    access([value, simd(0x0b)], 0)(memory, address, offset),
  or: binary(...simd(0x50)),
  anyTrue: unary(...simd(0x53)),
};

export interface FunctionType {
  parameters: readonly ValueType[];
  results: readonly ValueType[];
}
export interface WasmFunction extends FunctionType {
  locals: readonly ValueType[];
  body: Code;
}
/** Imports and exports are by name, all imports of the module `host`. */
export interface ModuleParts {
  importedFunctions: readonly ({ name: string } & FunctionType)[];
  importedMemories: readonly string[];
  /** Constants, all I32. */
  importedGlobals: readonly string[];
  functions: readonly WasmFunction[];
  /** Name, number of the function. */
  exports: readonly (readonly [string, number])[];
}

/** So many locals of the same type. */
export const several = (count: number, type: ValueType): ValueType[] => Array.from({ length: count }, () => type);

/** Numbers of functions count the imported ones first. */
export function assemble(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const types = [...parts.importedFunctions, ...parts.functions];
  const imported = (name: string, description: Code): Code => [text('host'), text(name), description];
  return Uint8Array.from(
    flat([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, vector(types.map(({ parameters, results }) => [0x60, vector(parameters), vector(results)]))),
      section(
        2,
        vector([
          ...parts.importedFunctions.map(({ name }, i) => imported(name, [0x00, unsigned(i)])),
          ...parts.importedMemories.map((name) => imported(name, [0x02, 0x00, 0])),
          ...parts.importedGlobals.map((name) => imported(name, [0x03, I32, 0])),
        ]),
      ),
      section(3, vector(parts.functions.map((_, i) => unsigned(parts.importedFunctions.length + i)))),
      section(7, vector(parts.exports.map(([name, index]) => [text(name), 0x00, unsigned(index)]))),
      section(
        10,
        vector(parts.functions.map(({ locals, body }) => sized([vector(locals.map((type) => [1, type])), body, 0x0b]))),
      ),
    ]),
  );
}

function flat(code: Code): number[] {
  return (code as unknown[]).flat(Number.POSITIVE_INFINITY) as number[];
}

function sized(content: Code): Code {
  const bytes = flat(content);
  return [unsigned(bytes.length), bytes];
}

const section = (id: number, content: Code): Code => [id, sized(content)];
const vector = (items: readonly (number | Code)[]): Code => [unsigned(items.length), items];
const text = (value: string): Code => vector([...new TextEncoder().encode(value)]);
