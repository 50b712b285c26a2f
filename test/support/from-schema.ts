import fc from 'fast-check';

/** The parts of JSON Schema that our OpenAPI document uses. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Wrong values that people, programs and attackers send. */
export const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom<unknown>(
    '\0',
    '\ud800',
    'a\r\nBcc: b@example.com',
    '../../etc/passwd',
    "'; DROP TABLE job; --",
    '{{7*7}}',
  ),
  fc.constantFrom<unknown>(-1, 0, 1e308, 2 ** 53, -(2 ** 63), 0.1, true, null, [], {}, [[[[[]]]]]),
  fc.constantFrom<unknown>('x'.repeat(100_001), { toString: 1 }, { __proto__: null, constructor: 'x' }),
);

/** Mostly values that match the schema, and sometimes, at any depth, other values. */
export function fromSchema(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: asAsked(schema) }, { weight: 1, arbitrary: junk });
}

function asAsked(schema: Schema): fc.Arbitrary<unknown> {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return fc.oneof(...alternatives.map(fromSchema));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
    case 'number':
      return fc.integer({ min: schema.minimum ?? -1_000, max: Math.min(schema.maximum ?? 1_000_000, 2 ** 31 - 1) });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(fromSchema(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, 5),
      });
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(([name, property]) => {
        const value = fromSchema(property).map((given) => ({ [name]: given }));
        const left = fc.constant({});
        return schema.required?.includes(name) ? value : fc.oneof({ weight: 2, arbitrary: left }, value);
      });
      return fc.tuple(...fields).map((given) => Object.assign({}, ...given) as object);
    }
    default:
      return junk;
  }
}

function text({ format, pattern, minLength = 0, maxLength = 200 }: Schema): fc.Arbitrary<string> {
  if (format === 'email') return fc.constantFrom('ada@example.com', 'a.b+c@sub.example.org');
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time')
    return fc
      .date({ min: new Date(0), max: new Date(Date.now() + 86_400_000), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (format === 'uri') return fc.webUrl();
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: 'small' });
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 200)) });
}
