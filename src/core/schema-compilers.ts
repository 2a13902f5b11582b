import { createRequire } from 'node:module';
import type { FastifyServerOptions } from 'fastify';
import { onceAsked } from './once-asked.ts';

type Serialize = (data: unknown) => string;
/** As ajv's: what is wrong stands in `errors` behind a call that returned false. */
type Validate = ((data: unknown) => unknown) & { errors?: unknown };
/** Fastify's hook for what makes functions of schemas, given those that all share and its own settings. */
type Build<F> = (sharedSchemas: unknown, settings: unknown) => (route: { schema?: unknown }) => F;
type Factory = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;
type BuildValidators = NonNullable<Factory['buildValidator']>;

/** The packages are fastify's own, of the versions that fastify wants. */
const require = createRequire(createRequire(import.meta.url).resolve('fastify'));

/**
 * Fastify's serializers, each compiled when it first has something to say. Compiling those of all routes is a fifth of
 * what the main thread does at start, and most answer a status that nobody gets.
 */
export function serializersWhenNeeded(): Build<Serialize> {
  const { SerializerSelector } = require('@fastify/fast-json-stringify-compiler') as {
    SerializerSelector: () => Build<Serialize>;
  };
  const build = SerializerSelector();
  return (sharedSchemas, settings) => {
    const compileFirst = onceAsked(() => build(sharedSchemas, settings));
    return (route) => {
      const serialize = onceAsked(() => compileFirst()(route));
      return (data) => serialize()(data);
    };
  };
}

/** Fastify's validators of requests, each compiled at the first request to its route: all of them are a tenth of a start. */
export function validatorsWhenNeeded(): BuildValidators {
  const { AjvCompiler } = require('@fastify/ajv-compiler') as { AjvCompiler: () => Build<Validate> };
  const build = AjvCompiler();
  const whenNeeded: Build<Validate> = (sharedSchemas, settings) => {
    const compileFirst = onceAsked(() => build(sharedSchemas, settings));
    return (route) => {
      const compiled = onceAsked(() => compileFirst()(route));
      const validate: Validate = (data) => {
        const right = compiled()(data);
        validate.errors = compiled().errors;
        return right;
      };
      return validate;
    };
  };
  // Its type has more of ajv's function than Fastify looks at.
  return whenNeeded as unknown as BuildValidators;
}
