/** What JSON Schemas of the API are made of. */

export const uuid = { type: 'string', format: 'uuid' } as const;
export const text = { type: 'string' } as const;
export const time = { type: 'string', format: 'date-time' } as const;
export const ms = { type: 'number', description: 'milliseconds' } as const;
export const count = { type: 'integer', minimum: 0 } as const;
export const orNull = <T extends { type: string }>(schema: T) => ({ ...schema, type: [schema.type, 'null'] });
export const anyObject = { type: 'object', additionalProperties: true } as const;

export const object = (properties: Record<string, unknown>, optional: string[] = []) => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
