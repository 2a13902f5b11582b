import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LiveEvent } from '../call/registry.ts';
import { HttpProblem } from './problems.ts';
import { liveEventView } from './views.ts';

export interface EventStreamsOptions {
  /** Streams open at once; more are refused with 503. */
  capacity: number;
  heartbeatMs: number;
}

export interface StreamSource {
  events(signal: AbortSignal): AsyncIterable<LiveEvent>;
  /** The state to start from, read after the events are being collected, so that nothing falls between. */
  sync(): unknown;
  /** Asked at each heartbeat; the stream ends when the viewer's sign-in has. */
  allowed(): boolean;
}

/**
 * Server-sent events (HTML Living Standard section 9.2). Each stream begins with `sync`, the present state, so a
 * reconnect needs no Last-Event-ID: it starts afresh. A viewer too slow to read loses its oldest events, is told so
 * (`missed`), and calls are never slowed; one that reads nothing for two heartbeats is cut off.
 */
export class EventStreams {
  readonly #open = new Set<AbortController>();
  readonly #options: EventStreamsOptions;
  #closed = false;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Serves one stream until the viewer leaves, its sign-in ends or the server closes. */
  async serve(request: FastifyRequest, reply: FastifyReply, source: StreamSource): Promise<void> {
    if (this.#closed || this.#open.size >= this.#options.capacity) {
      throw new HttpProblem(503, 'Too many event streams', 'Too many viewers are connected. Try again shortly.', {
        'retry-after': '10',
      });
    }
    const stop = new AbortController();
    this.#open.add(stop);
    const out = reply.raw;
    out.once('close', () => stop.abort());
    reply.hijack();
    out.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx and the like would otherwise collect the stream before passing it on.
      'x-accel-buffering': 'no',
    });
    const heartbeat = setInterval(() => {
      if (!source.allowed() || out.writableLength > 1 << 20) stop.abort();
      else if (!out.writableNeedDrain) out.write(': heartbeat\n\n');
    }, this.#options.heartbeatMs);
    try {
      await this.#pump(out, source, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) request.log.warn({ err: error }, 'event stream ended');
    } finally {
      clearInterval(heartbeat);
      stop.abort();
      this.#open.delete(stop);
      out.end();
    }
  }

  /** Ends all streams; new ones are refused. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const stop of this.#open) stop.abort();
  }

  async #pump(out: ServerResponse, source: StreamSource, signal: AbortSignal): Promise<void> {
    const events = source.events(signal)[Symbol.asyncIterator]();
    // Asking for the first event registers the observer; only then is the present state read.
    let next = events.next();
    out.write('retry: 2000\n\n');
    await this.#send(out, 'sync', source.sync(), signal);
    for (;;) {
      const { value, done } = await next;
      if (done || signal.aborted) return;
      next = events.next();
      const view = liveEventView(value);
      await this.#send(out, view.name, view.data, signal);
    }
  }

  async #send(out: ServerResponse, name: string, data: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted || out.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)) return;
    const patience = AbortSignal.timeout(this.#options.heartbeatMs * 2);
    await once(out, 'drain', { signal: AbortSignal.any([signal, patience]) });
  }
}
