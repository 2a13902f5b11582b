import type { Socket } from 'node:dgram';

/** What is used here of dgram's inner handle. */
interface Handle {
  readonly fd: number;
  recvStop(): unknown;
}

/** Of all sockets of this thread: to look for it takes longer than all else that is done with the handle. */
let stateSymbol: symbol | undefined;

/**
 * dgram's inner handle, which has the descriptor: no public way leads to it. Undefined where it is not as it was in
 * Node 20 to 24; then everything is left to dgram.
 */
export function handleOf(socket: Socket): Handle | undefined {
  stateSymbol ??= Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  const state: { handle?: Partial<Handle> } | undefined = stateSymbol && Reflect.get(socket, stateSymbol);
  const handle = state?.handle;
  const known = typeof handle?.fd === 'number' && handle.fd >= 0 && typeof handle.recvStop === 'function';
  return known ? (handle as Handle) : undefined;
}
