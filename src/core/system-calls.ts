import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { Failure } from './errors.ts';

/** What of koffi (a foreign function interface; optional, its binaries come with the package) is used here. */
interface Koffi {
  /** Null: the functions that the process itself is linked with, libc's among them. */
  load(path: string | null): { func(prototype: string): unknown };
  /** Where the bytes are. They must not move: an ArrayBuffer's own, never those of a small typed array. */
  address(bytes: ArrayBuffer): bigint;
  errno(): number;
}

/**
 * libc's calls for datagrams; lengths and results as in recvmmsg(2), sendto(2), setsockopt(2) and clock_gettime(2). What is
 * called for every packet takes addresses as numbers (addressOf): to find out where a typed array is takes as long as the
 * rest of passing the arguments.
 */
export interface SystemCalls {
  sendto(fd: number, bytes: number, length: number, flags: number, to: number, toLength: number): number;
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  clock_gettime(clock: number, time: Uint8Array): number;
  /** Of the call before. */
  errno(): number;
  /** Address of the first byte: below 2^48 on these machines, so a number holds it. */
  addressOf(bytes: ArrayBuffer): number;
}

/** Where `struct msghdr` and the constants of media/rtp/system-sockets.ts are as they stand there. */
const MACHINES = ['x64', 'arm64'];

/** libc's functions by their prototypes, and what comes with them. */
export interface Libc extends Pick<SystemCalls, 'errno' | 'addressOf'> {
  call<F>(prototype: string): F;
}

export function loadSystemCalls(): SystemCalls {
  return fromLibc(({ call, errno, addressOf }) => ({
    sendto: call('long sendto(int, uintptr_t, size_t, int, uintptr_t, uint32_t)'),
    recvmmsg: call('int recvmmsg(int, uintptr_t, uint32_t, int, uintptr_t)'),
    setsockopt: call('int setsockopt(int, int, int, void *, uint32_t)'),
    clock_gettime: call('int clock_gettime(int, void *)'),
    errno,
    addressOf,
  }));
}

/** What `declare` takes of libc. Throws Failure where it is not to be had: another system, or the package is not there. */
export function fromLibc<T>(declare: (libc: Libc) => T): T {
  if (process.platform !== 'linux' || !MACHINES.includes(process.arch) || endianness() !== 'LE') {
    throw unavailable(`not on ${process.platform} ${process.arch}`);
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const libc = koffi.load(null);
    return declare({
      call: <F>(prototype: string) => libc.func(prototype) as F,
      errno: () => koffi.errno(),
      addressOf: (bytes) => Number(koffi.address(bytes)),
    });
  } catch (error) {
    throw unavailable(error instanceof Error ? error.message.split('\n')[0]! : String(error), error);
  }
}

function unavailable(message: string, cause?: unknown): Failure {
  return new Failure(message, { code: 'no-system-calls', blame: 'us', cause });
}
