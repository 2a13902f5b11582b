import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { CallArchive } from '../../call/record/records.ts';
import type { CallRegistry } from '../../call/registry.ts';
import { Failure } from '../../core/errors.ts';
import type { KeyRing } from '../../media/recording/key-ring.ts';
import { peaksOf, resamplePeaks } from '../../media/recording/peaks.ts';
import { parseRange } from '../byte-range.ts';
import { PeaksCache } from '../peaks-cache.ts';
import { HttpProblem, notFound } from '../problems.ts';
import { openRecording, type RecordingFile } from '../recording-file.ts';
import { sessionIdParams } from '../schemas/calls.ts';
import { problems } from '../schemas/problems.ts';
import { peaksResponse } from '../schemas/recordings.ts';

export interface RecordingRoutesOptions {
  archive: CallArchive;
  registry: CallRegistry;
  /** Recordings outside this folder are not served, whatever the archive says. */
  dataDir: string;
  /** For those that are sealed. */
  keys?: KeyRing | undefined;
}

const PART_BYTES = 64 * 1024;
const MEDIA_TYPES = { wav: 'audio/wav', ogg: 'audio/ogg' } as const;

/** The stereo recording of a call that has ended, and its waveform. A live call's is still being written: 409. */
export function recordingRoutes(app: FastifyInstance, options: RecordingRoutesOptions): void {
  const { archive, registry, dataDir, keys } = options;
  const peaks = new PeaksCache();

  async function find(sessionId: string): Promise<RecordingFile> {
    if (registry.isActive(sessionId)) {
      const detail = 'The recording can be fetched when the call has ended.';
      throw new HttpProblem(409, 'The call is still going on', detail);
    }
    let record = await archive.recording(sessionId);
    if (!record) throw notFound('There is no recording of this call.');
    let file = await openRecording(dataDir, record.path, keys).catch(unreadable);
    const renewed = file ? undefined : await archive.recording(sessionId);
    if (renewed && renewed.path !== record.path) {
      // It has become Opus between the two looks.
      record = renewed;
      file = await openRecording(dataDir, record.path, keys).catch(unreadable);
    }
    if (!file) throw notFound('The recording of this call is not on disk any more.');
    // Of a recording that was completed nothing may be missing; one whose process died ends where it ends.
    if (!file.reader.complete && record.bytes > 0) {
      await file.close();
      throw new HttpProblem(500, 'The recording is damaged', 'Its end is missing: the file was cut off.');
    }
    return file;
  }

  app.get<{ Params: { sessionId: string }; Querystring: { download?: boolean } }>(
    '/calls/:sessionId/recording',
    {
      schema: {
        operationId: 'getRecording',
        summary: 'The recording (stereo, WAV or Ogg Opus: left the caller, right the bot), whole or by Range',
        tags: ['calls'],
        params: sessionIdParams,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { download: { type: 'boolean', description: 'Offer it as a file to save' } },
        },
        headers: { type: 'object', properties: { range: { type: 'string' }, 'if-range': { type: 'string' } } },
        response: {
          200: AUDIO_RESPONSE('The whole recording'),
          206: AUDIO_RESPONSE('The range asked for'),
          304: { description: 'Not modified', type: 'null' },
          ...problems(400, 401, 404, 409, 416, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params;
      const file = await find(sessionId);
      const { reader, etag } = file;
      const { size, format } = reader;
      const disposition = request.query.download ? 'attachment' : 'inline';
      reply.headers({
        etag,
        'accept-ranges': 'bytes',
        'content-disposition': `${disposition}; filename="call-${sessionId}.${format}"`,
        ...(reader.complete ? {} : { 'x-recording-incomplete': 'true' }),
      });
      if (matches(request.headers['if-none-match'], etag)) {
        await file.close();
        return reply.code(304).send();
      }
      // If-Range with another validator: the client's part is of an older file, so it gets the whole (RFC 9110 13.1.5).
      const ifRange = request.headers['if-range'];
      const usable = ifRange === undefined || ifRange === etag;
      const range = usable ? parseRange(request.headers.range, size) : 'whole';
      if (range === 'unsatisfiable') {
        await file.close();
        throw new HttpProblem(416, 'Range not satisfiable', `The recording has ${size} bytes.`, {
          'content-range': `bytes */${size}`,
        });
      }
      const { start, end } = range === 'whole' ? { start: 0, end: size - 1 } : range;
      if (range !== 'whole') reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
      reply.header('content-length', end - start + 1).type(MEDIA_TYPES[format]);
      if (request.method === 'HEAD' || size === 0) {
        await file.close();
        // A stream, because the framework would recompute the content-length of anything else.
        return reply.send(Readable.from([]));
      }
      return reply.send(Readable.from(partsOf(file, start, end)));
    },
  );

  app.get<{ Params: { sessionId: string }; Querystring: { buckets: number } }>(
    '/calls/:sessionId/recording/peaks',
    {
      schema: {
        operationId: 'getRecordingPeaks',
        summary: 'The waveform of the recording, small enough to draw at once',
        tags: ['calls'],
        params: sessionIdParams,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { buckets: { type: 'integer', minimum: 10, maximum: 4000, default: 1000 } },
        },
        response: {
          200: { description: 'Peaks per channel', ...peaksResponse },
          ...problems(400, 401, 404, 409, 422, 500, 503),
        },
      },
    },
    async (request) => {
      const file = await find(request.params.sessionId);
      const { buckets } = request.query;
      try {
        const key = `${file.path} ${file.etag} ${buckets}`;
        const found = await peaks.get(key, async () => {
          const whole = await peaksOf(file.path, file.reader, keys);
          return whole && resamplePeaks(whole, buckets);
        });
        if (!found)
          throw new HttpProblem(
            422,
            'Other format',
            'The recording has no waveform, and is not a 16-bit PCM WAV file.',
          );
        return found;
      } finally {
        await file.close();
      }
    },
  );
}

async function* partsOf(file: RecordingFile, start: number, end: number): AsyncGenerator<Buffer> {
  try {
    for (let at = start; at <= end; ) {
      const part = await file.reader.read(at, Math.min(PART_BYTES, end + 1 - at));
      if (part.length === 0) return;
      at += part.length;
      yield part;
    }
  } finally {
    await file.close();
  }
}

function unreadable(error: unknown): never {
  if (error instanceof Failure && error.code === 'recording-damaged') {
    throw new HttpProblem(500, 'The recording is damaged', `It was changed since it was written: ${error.message}.`);
  }
  if (error instanceof Failure && error.code === 'recording-key') {
    throw new HttpProblem(500, 'The recording cannot be opened', `${error.message}.`);
  }
  throw error;
}

const AUDIO_RESPONSE = (description: string) => ({
  description,
  content: Object.fromEntries(
    Object.values(MEDIA_TYPES).map((type) => [type, { schema: { type: 'string', contentMediaType: type } }]),
  ),
});

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()));
}
