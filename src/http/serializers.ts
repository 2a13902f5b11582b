import { createRequire } from 'node:module';

type Serialize = (data: unknown) => string;
/** Fastify's hook for what makes serializers of response schemas. */
type BuildSerializers = (sharedSchemas: unknown, settings: unknown) => (route: { schema?: unknown }) => Serialize;

/** The package is fastify's own, of the version that fastify wants. */
const { SerializerSelector } = createRequire(createRequire(import.meta.url).resolve('fastify'))(
  '@fastify/fast-json-stringify-compiler',
) as { SerializerSelector: () => BuildSerializers };

/**
 * Fastify's serializers, each compiled when it first has something to say. Compiling those of all routes is a fifth of
 * what the main thread does at start, and most answer a status that nobody gets.
 */
export function serializersWhenNeeded(): BuildSerializers {
  const build = SerializerSelector();
  return (sharedSchemas, settings) => {
    let compile: ReturnType<BuildSerializers> | undefined;
    return (route) => {
      let serialize: Serialize | undefined;
      return (data) => {
        compile ??= build(sharedSchemas, settings);
        serialize ??= compile(route);
        return serialize(data);
      };
    };
  };
}
