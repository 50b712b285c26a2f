import { z } from 'zod';
import { parseBody, parseQuery, Problem, quoted } from './problem';

const schema = z.strictObject({
  list: z.array(z.uuid()).max(1_000).optional(),
  options: z.strictObject({}).optional(),
});

function refusedBy(parse: () => unknown): Problem {
  try {
    parse();
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('Expected a Problem, got none.');
}

const fields = (count: number, name = (n: number) => `field${n}`) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [name(n), 1]));

it.each<[string, () => unknown]>([
  ['unknown fields of a body', () => parseBody(schema, fields(20_000))],
  ['unknown fields of a part', () => parseBody(schema, { options: fields(20_000) })],
  ['wrong elements of a list', () => parseBody(schema, { list: Array.from({ length: 1_000 }, () => 7) })],
  ['unknown parameters of a query', () => parseQuery(schema, fields(1_000))],
  [
    'fields with long names',
    () =>
      parseBody(
        schema,
        fields(1_000, (n) => `${n}${'x'.repeat(5_000)}`),
      ),
  ],
])('thousands of %s: the first 20 are named, once', (_, parse) => {
  const document = refusedBy(parse).toDocument();
  expect(document.errors).toHaveLength(20);
  const text = JSON.stringify(document);
  expect(text.length).toBeLessThan(8_000);
  for (const { path } of document.errors!) expect(text.split(JSON.stringify(path))).toHaveLength(2);
  expect(document.detail).toBe('Expected no fault, got more than 20; "errors" names each one, at most 20.');
});

it('one fault is told in the detail, too; two are counted there', () => {
  expect(refusedBy(() => parseBody(schema, { a: 1 })).message).toBe('a: is not a field of this object');
  expect(refusedBy(() => parseBody(schema, { a: 1, b: 1 })).message).toContain('got 2; "errors" names each one');
});

it('an answer quotes no more than the beginning of what came', () => {
  expect(quoted('short')).toBe('"short"');
  expect(quoted('x'.repeat(16_000))).toHaveLength(103);
  expect(quoted(`${'x'.repeat(99)}😀`).isWellFormed()).toBe(true);
  const long = refusedBy(() => parseBody(schema, { ['k'.repeat(250_000)]: 1 })).toDocument();
  expect(JSON.stringify(long).length).toBeLessThan(1_500);
});
