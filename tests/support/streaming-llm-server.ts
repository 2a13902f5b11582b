import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type LlmStep =
  | { text: string }
  | { tool: string; arguments: Record<string, unknown> | string; id?: string }
  | { waitMs: number }
  /** Sends nothing more and leaves the connection open. */
  | { stall: true }
  /** Breaks the connection. */
  | { drop: true };

/** How the server answers one request: an HTTP error, or streamed steps. */
export type LlmAnswer = { status: number } | { steps: LlmStep[] };

/**
 * A local endpoint that speaks the real streaming protocol of chat completions (server-sent events, deltas, tool call
 * fragments, [DONE]), and answers as told. Records what it was asked.
 */
export async function startLlmServer(answer: (request: LlmRequest, n: number) => LlmAnswer) {
  const requests: LlmRequest[] = [];
  let aborted = 0;
  const server = createServer(async (req, res) => {
    if (req.url?.endsWith('/models')) {
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ object: 'list', data: [] }));
      return;
    }
    let body = '';
    for await (const chunk of req) body += chunk;
    const request = JSON.parse(body) as LlmRequest;
    requests.push(request);
    let finished = false;
    res.on('close', () => {
      if (!finished) aborted++;
    });
    const reply = answer(request, requests.length);
    if ('status' in reply) {
      finished = true;
      res.writeHead(reply.status, { 'content-type': 'application/json' }).end('{"error":{"message":"as told"}}');
      return;
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    finished = await stream(res, reply.steps);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    /** Requests whose client went away before the end. */
    aborted: () => aborted,
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface LlmRequest {
  model: string;
  stream: boolean;
  messages: { role: string; content?: string; tool_calls?: unknown[]; tool_call_id?: string }[];
  tools: { function: { name: string; parameters: unknown } }[];
}

async function stream(res: ServerResponse, steps: readonly LlmStep[]): Promise<boolean> {
  let tools = 0;
  for (const step of steps) {
    if ('waitMs' in step) await new Promise((resolve) => setTimeout(resolve, step.waitMs));
    else if ('stall' in step) return false;
    else if ('drop' in step) {
      res.destroy();
      return true;
    } else if ('text' in step) {
      for (const token of step.text.split(/(?<=\s)/)) send(res, { content: token });
    } else {
      const json = typeof step.arguments === 'string' ? step.arguments : JSON.stringify(step.arguments);
      const index = tools++;
      send(res, {
        tool_calls: [
          { index, id: step.id ?? `call_${index}`, type: 'function', function: { name: step.tool, arguments: '' } },
        ],
      });
      // In fragments, as the real endpoints send them.
      for (let at = 0; at < json.length; at += 5) {
        send(res, { tool_calls: [{ index, function: { arguments: json.slice(at, at + 5) } }] });
      }
    }
  }
  send(res, {}, tools > 0 ? 'tool_calls' : 'stop');
  res.end('data: [DONE]\n\n');
  return true;
}

function send(res: ServerResponse, delta: object, finish: string | null = null): void {
  const chunk = {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  };
  res.write(`data: ${JSON.stringify(chunk)}\n\n`);
}
