import type { Socket } from 'node:dgram';

/** What is used here of dgram's inner handle. */
interface Handle {
  readonly fd: number;
  recvStop(): unknown;
}

/**
 * dgram's inner handle, which has the descriptor: no public way leads to it. Undefined where it is not as it was in
 * Node 20 to 24; then everything is left to dgram.
 */
export function handleOf(socket: Socket): Handle | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  const state: { handle?: Partial<Handle> } | undefined = symbol && Reflect.get(socket, symbol);
  const handle = state?.handle;
  const known = typeof handle?.fd === 'number' && handle.fd >= 0 && typeof handle.recvStop === 'function';
  return known ? (handle as Handle) : undefined;
}
