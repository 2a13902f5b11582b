import { object, text } from './parts.ts';

/** How errors are answered. */

export const PROBLEM_SCHEMA = {
  $id: 'Problem',
  description: 'RFC 9457',
  ...object(
    {
      type: text,
      title: text,
      status: { type: 'integer' },
      detail: text,
      correlationId: text,
      errors: { type: 'array', items: object({ field: text, in: text, message: text }) },
    },
    ['errors'],
  ),
};

/** Responses of the given error statuses, as problem+json. */
export function problems(...statuses: number[]): Record<number, unknown> {
  const schema = { $ref: 'Problem#' };
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: PROBLEM_TEXT[status], content: { 'application/problem+json': { schema } } },
    ]),
  );
}

const PROBLEM_TEXT: Record<number, string> = {
  400: 'The request is not valid; errors names the fields',
  401: 'Not signed in, or a wrong token',
  403: 'The request came from another origin',
  404: 'There is no such thing',
  409: 'Not possible in the present state',
  413: 'The request is too large',
  414: 'The address is too long',
  415: 'The body is not of the type that is read here',
  416: 'The range lies outside the recording',
  422: 'The recording has another format',
  429: 'Too many requests; see Retry-After',
  500: 'Something is wrong on the connector’s side',
  503: 'Temporarily unavailable; see Retry-After',
};
