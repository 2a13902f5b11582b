import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Failure } from '../../src/core/errors.ts';
import { FallbackModel } from '../../src/dialogue/models/fallback-model.ts';
import type { LanguageModel, ReplyPart, ReplyRequest } from '../../src/dialogue/models/language-model.ts';
import { OpenAiModel } from '../../src/dialogue/openai/openai-model.ts';
import { type LlmAnswer, type LlmRequest, startLlmServer } from '../support/streaming-llm-server.ts';

const REQUEST: ReplyRequest = {
  instructions: 'You are a bank.',
  history: [{ role: 'caller', text: 'where is my card' }],
  actions: [
    {
      name: 'card_delivery_status',
      description: 'the delivery status of a card',
      parameters: { type: 'object', properties: { kind: { type: 'string' } } },
      examples: [],
    },
  ],
};

/** The second engine: says one fixed sentence. */
const plain: LanguageModel = {
  name: 'plain',
  async *reply() {
    yield { type: 'text', text: 'From the second engine.' };
  },
  health: async () => ({ ok: true }),
};

let server: Awaited<ReturnType<typeof startLlmServer>> | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function modelThat(answer: (request: LlmRequest, n: number) => LlmAnswer): Promise<OpenAiModel> {
  server = await startLlmServer(answer);
  return new OpenAiModel({ baseUrl: server.baseUrl, apiKey: 'test', model: 'm' });
}

const collect = async (parts: AsyncIterable<ReplyPart>) => Array.fromAsync(parts);
const textOf = (parts: ReplyPart[]) =>
  parts.map((part) => (part.type === 'text' ? part.text : `<${part.type}>`)).join('');
const never = new AbortController().signal;

function withFallback(model: LanguageModel) {
  const failures: Failure[] = [];
  const fallback = new FallbackModel(model, plain, {
    firstPartMs: 200,
    stallMs: 200,
    restMs: 10_000,
    now: systemClock.now,
    onFallback: (failure) => failures.push(failure),
  });
  return { fallback, failures };
}

describe('a model behind the OpenAI protocol', () => {
  it('changes the pace of speech by a tool of the conversation, and fails when that names no pace', async () => {
    let rate = 'slower';
    const model = await modelThat(() => ({ steps: [{ tool: 'set_speech_rate', arguments: { rate }, id: 'r1' }] }));
    expect(await collect(model.reply(REQUEST, never))).toEqual([{ type: 'speech-rate', rate: 'slower' }]);
    rate = 'sideways';
    await expect(collect(model.reply(REQUEST, never))).rejects.toMatchObject({ code: 'llm-bad-tool-call' });
  });

  it('streams text and assembles tool calls from their fragments', async () => {
    const model = await modelThat(() => ({
      steps: [{ text: 'Let me look. ' }, { tool: 'card_delivery_status', arguments: { kind: 'credit' }, id: 'a1' }],
    }));
    const parts = await collect(model.reply(REQUEST, never));
    expect(textOf(parts.slice(0, -1))).toBe('Let me look. ');
    expect(parts.at(-1)).toEqual({
      type: 'action',
      id: 'a1',
      name: 'card_delivery_status',
      arguments: { kind: 'credit' },
    });
    expect(server!.requests[0]!.tools.map((tool) => tool.function.name)).toEqual([
      'card_delivery_status',
      'end_call',
      'set_speech_rate',
    ]);
    expect(server!.requests[0]!.messages[0]).toEqual({ role: 'system', content: 'You are a bank.' });
  });

  it('gives the results of actions back as tool messages, and what was heard as the assistant said it', async () => {
    const model = await modelThat(() => ({ steps: [{ text: 'ok' }] }));
    await collect(
      model.reply(
        {
          ...REQUEST,
          history: [
            { role: 'assistant', text: 'Your card was', interrupted: true },
            {
              role: 'action',
              id: 'a1',
              name: 'card_delivery_status',
              arguments: {},
              result: { ok: true, code: 'posted', data: { n: 1 }, say: 'x' },
            },
          ],
        },
        never,
      ),
    );
    const [, heard, call, result] = server!.requests[0]!.messages;
    expect(heard!.content).toMatch(/^Your card was .*interrupted/);
    expect(call!.tool_calls).toHaveLength(1);
    expect(result).toMatchObject({ role: 'tool', tool_call_id: 'a1' });
  });

  it('ends the call when told to', async () => {
    const model = await modelThat(() => ({ steps: [{ text: 'Goodbye.' }, { tool: 'end_call', arguments: {} }] }));
    expect(textOf(await collect(model.reply(REQUEST, never)))).toBe('Goodbye.<end-call>');
  });

  it('stops at once when the caller interrupts, and hangs up on the endpoint', async () => {
    const model = await modelThat(() => ({ steps: [{ text: 'One two ' }, { stall: true }] }));
    const turn = new AbortController();
    const parts: ReplyPart[] = [];
    for await (const part of model.reply(REQUEST, turn.signal)) {
      parts.push(part);
      if (parts.length === 2) turn.abort();
    }
    expect(textOf(parts)).toBe('One two ');
    await expect.poll(() => server!.aborted()).toBe(1);
  });

  it.each([
    ['refuses', { status: 500 }],
    ['sends broken tool arguments', { steps: [{ tool: 'card_delivery_status', arguments: '{"kind": ' }] }],
    ['drops the connection', { steps: [{ text: 'Half a ' }, { drop: true }] }],
  ] as [string, LlmAnswer][])('blames the engine when the endpoint %s', async (_, answer) => {
    const model = await modelThat(() => answer);
    const error = await collect(model.reply(REQUEST, never)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).blame).toBe('engine');
  });
});

describe('the fallback', () => {
  it.each([
    ['stalls before the first token', { steps: [{ stall: true }] }],
    ['stalls in the middle', { steps: [{ text: 'Well, ' }, { stall: true }] }],
    ['fails', { status: 503 }],
    ['answers nothing', { steps: [] }],
  ] as [string, LlmAnswer][])('serves the same turn when the endpoint %s', async (_, answer) => {
    const { fallback, failures } = withFallback(await modelThat(() => answer));
    expect(textOf(await collect(fallback.reply(REQUEST, never)))).toMatch(/From the second engine\.$/);
    expect(failures).toHaveLength(1);
  });

  it('leaves a failed endpoint alone for a while', async () => {
    const { fallback } = withFallback(await modelThat(() => ({ status: 503 })));
    await collect(fallback.reply(REQUEST, never));
    await collect(fallback.reply(REQUEST, never));
    expect(server!.requests).toHaveLength(1);
  });

  it('does not answer a turn that the caller interrupted', async () => {
    const { fallback, failures } = withFallback(await modelThat(() => ({ steps: [{ stall: true }] })));
    const turn = new AbortController();
    setTimeout(() => turn.abort(), 50);
    expect(await collect(fallback.reply(REQUEST, turn.signal))).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('keeps out of the way of an endpoint that works', async () => {
    const { fallback, failures } = withFallback(await modelThat(() => ({ steps: [{ text: 'Fine.' }] })));
    expect(textOf(await collect(fallback.reply(REQUEST, never)))).toBe('Fine.');
    expect(failures).toEqual([]);
  });
});
