import OpenAI, { APIConnectionError, APIError } from 'openai';
import type {
  ChatCompletionChunk,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from 'openai/resources/chat/completions';
import { Failure, isAbort } from '../../core/errors.ts';
import type { HistoryItem, LanguageModel, ReplyPart, ReplyRequest } from '../models/language-model.ts';
import type { RateChange } from '../speaking/speech-rate.ts';

export interface OpenAiModelOptions {
  /** Any OpenAI-compatible endpoint; the package's default when undefined. */
  baseUrl?: string;
  apiKey: string;
  model: string;
  /** Whole request, ms. */
  timeoutMs?: number;
}

const END_CALL = 'end_call';
const END_CALL_TOOL: ChatCompletionTool = {
  type: 'function',
  function: {
    name: END_CALL,
    description: 'End the call. Only when the caller has said goodbye; say goodbye in the same answer.',
    parameters: { type: 'object', properties: {}, additionalProperties: false },
  },
};

const SET_SPEECH_RATE = 'set_speech_rate';
const RATES: readonly RateChange[] = ['slower', 'normal', 'faster'];
const SET_SPEECH_RATE_TOOL: ChatCompletionTool = {
  type: 'function',
  function: {
    name: SET_SPEECH_RATE,
    description:
      'Speak slower or faster than now, or at normal speed, when the caller asks for it. Say nothing with it: your last answer is then repeated at the new speed.',
    parameters: {
      type: 'object',
      properties: { rate: { type: 'string', enum: RATES } },
      required: ['rate'],
      additionalProperties: false,
    },
  },
};

/** A language model behind the OpenAI chat completions protocol: streamed text and tool calls, aborted by the signal. */
export class OpenAiModel implements LanguageModel {
  readonly name: string;
  readonly #client: OpenAI;
  readonly #model: string;

  constructor(options: OpenAiModelOptions) {
    this.#client = new OpenAI({
      apiKey: options.apiKey,
      baseURL: options.baseUrl,
      timeout: options.timeoutMs ?? 10_000,
      // The caller is waiting: the fallback is faster than a retry.
      maxRetries: 0,
    });
    this.#model = options.model;
    this.name = `openai:${options.model}`;
  }

  async *reply(request: ReplyRequest, signal: AbortSignal): AsyncGenerator<ReplyPart, void, void> {
    const calls = new ToolCalls();
    try {
      const stream = await this.#client.chat.completions.create(
        {
          model: this.#model,
          stream: true,
          messages: messagesOf(request),
          tools: [...request.actions.map(toolOf), END_CALL_TOOL, SET_SPEECH_RATE_TOOL],
        },
        { signal },
      );
      for await (const chunk of stream) {
        const delta = chunk.choices[0]?.delta;
        if (delta?.content) yield { type: 'text', text: delta.content };
        for (const call of delta?.tool_calls ?? []) calls.add(call);
      }
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      throw failureOf(error);
    }
    if (signal.aborted) return;
    for (const call of calls.whole()) {
      yield partOf(call);
    }
  }

  async health(): Promise<{ ok: boolean; detail?: string }> {
    try {
      await this.#client.models.list({ timeout: 1000 });
      return { ok: true };
    } catch (error) {
      return { ok: false, detail: failureOf(error).message };
    }
  }
}

interface ToolCall {
  id: string;
  name: string;
  arguments: Record<string, unknown>;
}

/** Tools of the conversation itself are no actions: nothing is carried out at the bank. */
function partOf(call: ToolCall): ReplyPart {
  if (call.name === END_CALL) return { type: 'end-call' };
  if (call.name !== SET_SPEECH_RATE) return { type: 'action', ...call };
  const rate = RATES.find((one) => one === call.arguments.rate);
  if (rate === undefined) throw brokenToolCall(`${SET_SPEECH_RATE} names no rate`);
  return { type: 'speech-rate', rate };
}

/** Tool calls arrive in fragments, told apart by their index. */
class ToolCalls {
  readonly #calls: { id: string; name: string; json: string }[] = [];

  add(fragment: ChatCompletionChunk.Choice.Delta.ToolCall): void {
    this.#calls[fragment.index] ??= { id: '', name: '', json: '' };
    const call = this.#calls[fragment.index]!;
    if (fragment.id) call.id = fragment.id;
    if (fragment.function?.name) call.name += fragment.function.name;
    call.json += fragment.function?.arguments ?? '';
  }

  whole(): ToolCall[] {
    return this.#calls.filter(Boolean).map((call, index) => {
      if (call.name === '') throw brokenToolCall('a tool call without a name');
      return {
        id: call.id || `call-${index}-${crypto.randomUUID()}`,
        name: call.name,
        arguments: parseArguments(call),
      };
    });
  }
}

function parseArguments(call: { name: string; json: string }): Record<string, unknown> {
  if (call.json.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(call.json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Answered below: the arguments themselves stay out of the message, they may quote the caller.
  }
  throw brokenToolCall(`the arguments of ${call.name} are not a JSON object`);
}

function brokenToolCall(message: string): Failure {
  return new Failure(`language model: ${message}`, { code: 'llm-bad-tool-call', blame: 'engine', retryable: true });
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof APIError && !(error instanceof APIConnectionError)) {
    const retryable = error.status === undefined || error.status === 429 || error.status >= 500;
    return new Failure(`language model answered ${error.status ?? 'with an error'}`, {
      code: 'llm-refused',
      blame: 'engine',
      retryable,
      cause: error,
    });
  }
  return new Failure('language model not reachable', {
    code: 'llm-unreachable',
    blame: 'engine',
    retryable: true,
    cause: error,
  });
}

function toolOf(action: {
  name: string;
  description: string;
  parameters: { readonly [keyword: string]: unknown };
}): ChatCompletionTool {
  return {
    type: 'function',
    function: { name: action.name, description: action.description, parameters: action.parameters },
  };
}

function messagesOf(request: ReplyRequest): ChatCompletionMessageParam[] {
  const messages: ChatCompletionMessageParam[] = [{ role: 'system', content: request.instructions }];
  for (const item of request.history) messages.push(...messagesOfItem(item));
  return messages;
}

function messagesOfItem(item: HistoryItem): ChatCompletionMessageParam[] {
  switch (item.role) {
    case 'caller':
      return [{ role: 'user', content: item.text }];
    case 'assistant':
      return [
        { role: 'assistant', content: item.interrupted ? `${item.text} [the caller interrupted here]` : item.text },
      ];
    case 'system':
      return [{ role: 'system', content: item.text }];
    case 'action':
      return [
        {
          role: 'assistant',
          tool_calls: [
            { id: item.id, type: 'function', function: { name: item.name, arguments: JSON.stringify(item.arguments) } },
          ],
        },
        { role: 'tool', tool_call_id: item.id, content: JSON.stringify(item.result) },
      ];
  }
}
