import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify';
import { Failure } from '../core/errors.ts';

/** One field of the request that is wrong, and why. */
export interface FieldError {
  field: string;
  in: string;
  message: string;
}

/** Problem details for HTTP APIs, RFC 9457. `detail` is written for the person who made the request. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  correlationId: string;
  errors?: FieldError[];
}

/** An error with its HTTP meaning; thrown by routes, turned into problem+json by the error handler. */
export class HttpProblem extends Error {
  readonly statusCode: number;
  readonly title: string;
  readonly headers: Record<string, string>;
  /** Which fields are at fault, where it is known. */
  readonly errors: FieldError[] | undefined;

  constructor(
    statusCode: number,
    title: string,
    detail: string,
    headers: Record<string, string> = {},
    errors?: FieldError[],
  ) {
    super(detail);
    this.name = 'HttpProblem';
    this.statusCode = statusCode;
    this.title = title;
    this.headers = headers;
    this.errors = errors;
  }
}

/** 400 for what no schema can tell. `fields` of the body are at fault: a form shows the message beside them. */
export function invalid(detail: string, ...fields: string[]): HttpProblem {
  const errors = fields.map((field) => ({ field, in: 'body', message: detail }));
  return new HttpProblem(400, TITLES[400]!, detail, {}, errors.length > 0 ? errors : undefined);
}

export const notFound = (what: string) => new HttpProblem(404, 'Not found', what);

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  title: string,
  detail: string,
  errors?: FieldError[],
): FastifyReply {
  const problem: Problem = { type: 'about:blank', title, status, detail, correlationId: request.id };
  if (errors) problem.errors = errors;
  // Serialised here: a route's response schema must not reshape an error.
  return (
    reply
      .code(status)
      // Of what no route was found for, nothing else has set it.
      .header('x-correlation-id', request.id)
      .header('cache-control', 'no-store')
      .type('application/problem+json; charset=utf-8')
      .serializer((body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body)))
      .send(problem)
  );
}

/** Every error that leaves the server passes here. Stack traces and messages of unknown errors stay in the log. */
export function handleError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof HttpProblem) {
    reply.headers(error.headers);
    return sendProblem(request, reply, error.statusCode, error.title, error.message, error.errors);
  }
  if (error instanceof Failure) return sendFailure(error, request, reply);
  const { validation, validationContext, statusCode } = error as FastifyError;
  if (validation) {
    // Of a name that is wrong only the reason is of use, which stands before it.
    const reasons = validation.filter(({ keyword }) => keyword !== 'propertyNames');
    const errors = reasons.map((one) => fieldError(one, validationContext ?? 'body'));
    const detail = errors.map((one) => `${one.field} (${one.in}): ${one.message}`).join('; ');
    return sendProblem(request, reply, 400, 'The request is not valid', detail, errors);
  }
  // Errors of the framework itself (body too large, bad JSON, wrong media type): their messages are made for clients.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const detail = DETAILS[statusCode] ?? error.message;
    return sendProblem(request, reply, statusCode, TITLES[statusCode] ?? 'The request was refused', detail);
  }
  request.log.error({ err: error }, 'request failed');
  return sendProblem(request, reply, 500, 'Internal error', 'Something went wrong on our side. It has been logged.');
}

const TITLES: Record<number, string> = {
  400: 'The request is not valid',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'The request is too large',
  414: 'The address is too long',
  415: 'Unsupported media type',
  429: 'Too many requests',
};

/** Where the framework's own words say too little. */
const DETAILS: Record<number, string> = {
  415: 'Send JSON, and say so: Content-Type: application/json.',
};

function sendFailure(failure: Failure, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (failure.blame === 'caller') return sendProblem(request, reply, 400, TITLES[400]!, failure.message);
  request.log.error({ err: failure, code: failure.code }, 'request failed');
  if (failure.retryable || failure.blame === 'network') {
    reply.header('retry-after', '5');
    const detail = 'A part this request needs is not available at the moment. Try again shortly.';
    return sendProblem(request, reply, 503, 'Temporarily unavailable', detail);
  }
  return sendProblem(request, reply, 500, 'Internal error', 'Something went wrong on our side. It has been logged.');
}

function fieldError(error: FastifySchemaValidationError, context: string): FieldError {
  const params = error.params as { missingProperty?: string; additionalProperty?: string; allowedValues?: unknown[] };
  const path = error.instancePath.split('/').filter(Boolean);
  if (params.missingProperty) path.push(params.missingProperty);
  if (params.additionalProperty) path.push(params.additionalProperty);
  const { propertyName, parentSchema } = error as Verbose;
  if (propertyName !== undefined) path.push(propertyName);
  const where = context === 'querystring' ? 'query' : context === 'params' ? 'path' : context;
  let message = error.message ?? 'is not valid';
  if (params.additionalProperty) {
    const names = Object.keys(parentSchema?.properties ?? {});
    message = `is not a parameter of this request${names.length > 0 ? `: it has ${names.join(', ')}` : ''}`;
  }
  if (params.missingProperty) message = 'is missing';
  if (params.allowedValues) message = `must be one of ${params.allowedValues.join(', ')}`;
  const form = formOf(error);
  if (form !== undefined) message = `must match: ${form}`;
  return { field: path.join('.') || where, in: where, message };
}

/** What Ajv adds with `verbose`. */
type Verbose = FastifySchemaValidationError & {
  parentSchema?: { description?: string; properties?: Record<string, unknown> };
  /** Of a name that is wrong. */
  propertyName?: string;
};

const FORMATS: Record<string, string> = {
  'date-time': 'a time with its zone, such as 2026-12-01T08:00:00Z',
  uuid: 'a UUID, such as 0199a5c2-6f1e-7cc3-98c4-dc0c0c07398f',
};

/** What a text that has the wrong form is meant to be: a pattern tells nobody. */
function formOf(error: FastifySchemaValidationError): string | undefined {
  const { parentSchema } = error as Verbose;
  if (error.keyword === 'format') return FORMATS[String((error.params as { format?: string }).format)];
  return error.keyword === 'pattern' ? parentSchema?.description : undefined;
}
