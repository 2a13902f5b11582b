import { once } from 'node:events';

interface Reply {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
  method?: string;
  params?: { sessionId?: string; message?: string };
}

/** Bytes that something still refers to, after a full garbage collection: JavaScript's objects, and buffers beside its heap. */
export interface LiveHeap {
  readonly bytes: number;
  /** The main thread and its workers. */
  readonly threads: number;
}

/**
 * What a process with `--inspect` holds, by Chrome's DevTools protocol: what it has resident says little, since V8 leaves
 * garbage lying about until it wants the room.
 */
export class HeapInspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  /** By worker's session; its own ids. */
  readonly #workers = new Set<string>();
  #next = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Reply));
  }

  /** `url`: as the process tells it on stderr. */
  static async connect(url: string): Promise<HeapInspector> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const inspector = new HeapInspector(socket);
    await inspector.#ask('NodeWorker.enable', { waitForDebuggerOnStart: false });
    return inspector;
  }

  async live(): Promise<LiveHeap> {
    let bytes = 0;
    const threads = [undefined, ...this.#workers];
    for (const thread of threads) {
      // Twice: what finalisers of the first let go.
      for (let i = 0; i < 2; i++) await this.#ask('HeapProfiler.collectGarbage', {}, thread);
      const usage = await this.#ask('Runtime.getHeapUsage', {}, thread);
      bytes += Number(usage.usedSize) + Number(usage.backingStorageSize ?? 0);
    }
    return { bytes, threads: threads.length };
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string, params: object, worker?: string): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#waiting.set(id, resolve);
    const message = JSON.stringify({ id, method, params });
    if (worker === undefined) this.#socket.send(message);
    else {
      const wrapped = { sessionId: worker, message };
      this.#socket.send(
        JSON.stringify({ id: this.#next++, method: 'NodeWorker.sendMessageToWorker', params: wrapped }),
      );
    }
    const { result, error } = await promise;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  #take({ id, method, params, ...reply }: Reply): void {
    if (method === 'NodeWorker.attachedToWorker') this.#workers.add(params!.sessionId!);
    else if (method === 'NodeWorker.detachedFromWorker') this.#workers.delete(params!.sessionId!);
    else if (method === 'NodeWorker.receivedMessageFromWorker') this.#take(JSON.parse(params!.message!) as Reply);
    else if (id !== undefined) {
      this.#waiting.get(id)?.(reply);
      this.#waiting.delete(id);
    }
  }
}
