import { z } from 'zod';
import * as contracts from '@app/contracts';
import * as email from '@app/features/email';
import * as image from '@app/features/image';
import * as product from '@app/features/product';
import * as report from '@app/features/report';
import * as sms from '@app/features/sms';
import * as webhook from '@app/features/webhook';
import { brokenRule } from '@app/contracts';

const issueOf = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error!.issues[0]!;

describe('the message of a validation fault', () => {
  it.each<[z.ZodType, unknown, string, object]>([
    [z.string(), undefined, 'is required', { rule: 'required' }],
    [z.email(), undefined, 'is required', { rule: 'required' }],
    [z.string(), 7, 'expected text', { rule: 'type', params: { expected: 'string' } }],
    [z.coerce.number(), 'x', 'expected a number', { rule: 'type', params: { expected: 'number' } }],
    [z.int(), 1.5, 'expected a whole number', { rule: 'type', params: { expected: 'int' } }],
    [z.strictObject({}), 'x', 'expected an object', { rule: 'type', params: { expected: 'object' } }],
    [z.array(z.string()), 'x', 'expected a list', { rule: 'type', params: { expected: 'array' } }],
    [z.string().min(1), '', 'must not be empty', { rule: 'min_length', params: { minimum: 1 } }],
    [z.string().min(2), 'x', 'must have at least 2 characters', { rule: 'min_length', params: { minimum: 2 } }],
    [
      z.string().max(500),
      'x'.repeat(501),
      'must have at most 500 characters',
      { rule: 'max_length', params: { maximum: 500 } },
    ],
    [z.string().length(1), 'xx', 'must have exactly 1 character', { rule: 'max_length', params: { maximum: 1 } }],
    [z.array(z.int()).min(1), [], 'must not be empty', { rule: 'min_items', params: { minimum: 1 } }],
    [z.array(z.int()).max(2), [1, 2, 3], 'must have at most 2 items', { rule: 'max_items', params: { maximum: 2 } }],
    [z.number().min(0), -1, 'must be at least 0', { rule: 'min', params: { minimum: 0 } }],
    [z.number().gt(0), 0, 'must be more than 0', { rule: 'min', params: { minimum: 0 } }],
    [z.number().max(9), 10, 'must be at most 9', { rule: 'max', params: { maximum: 9 } }],
    [z.number().lt(9), 9, 'must be less than 9', { rule: 'max', params: { maximum: 9 } }],
    [z.number().multipleOf(5), 7, 'must be a multiple of 5', { rule: 'multiple_of', params: { divisor: 5 } }],
    [z.literal('orders'), 'x', 'expected orders', { rule: 'one_of', params: { values: ['orders'] } }],
    [z.enum(['csv', 'pdf']), 'x', 'expected one of csv, pdf', { rule: 'one_of', params: { values: ['csv', 'pdf'] } }],
    [
      z.email(),
      'ada',
      'expected an email address such as ada@example.com',
      { rule: 'format', params: { format: 'email' } },
    ],
    [z.url(), 'x', 'expected a URL such as https://example.com/path', { rule: 'format', params: { format: 'url' } }],
    [z.ipv4(), 'x', 'expected text in the format ipv4', { rule: 'format', params: { format: 'ipv4' } }],
    [z.string().startsWith('a'), 'x', 'must start with "a"', { rule: 'format', params: { format: 'starts_with' } }],
    [z.union([z.int(), z.boolean()]), 'x', 'has none of the forms that are allowed here', { rule: 'invalid_union' }],
    [z.string().refine(() => false), 'x', 'is not allowed', { rule: 'custom' }],
    [z.string().refine(() => false, { error: 'no', params: { rule: 'mine' } }), 'x', 'no', { rule: 'mine' }],
    [z.strictObject({}), { a: 1 }, 'has unknown fields: a', { rule: 'unknown_field' }],
  ])('has its sentence and its rule in case %#', (schema, value, message, rule) => {
    const issue = issueOf(schema, value);
    expect({ message: issue.message, ...brokenRule(issue) }).toEqual({ message, ...rule });
  });

  it('names five unknown fields and gives the number of the others', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f${n}`, 1]));
    expect(issueOf(z.strictObject({}), many).message).toBe('has unknown fields: f0, f1, f2, f3, f4 and 995 more');
  });

  it('contains no wording of zod for any schema of the contracts and any wrong value', () => {
    const messages = new Set<string>();
    const modules = [contracts, email, image, product, report, sms, webhook];
    const schemas = schemasIn(modules);
    for (const schema of schemas) {
      for (const value of wrongValues) {
        for (const { message } of z.safeParse(schema, value).error?.issues ?? []) messages.add(message);
      }
    }
    expect(schemas.size).toBeGreaterThan(12 * modules.length);
    expect(messages.size).toBeGreaterThan(20);
    const ofTheLibrary = /too (small|big)|invalid|received|unrecognized|[<>]=?|\bstring\b|\bint\b/i;
    expect([...messages].filter((message) => ofTheLibrary.test(message))).toEqual([]);
  });

  it('has the rule of every refinement, for forms in other languages', () => {
    const valid = { to: 'a@example.com', subject: 'x' };
    const cases: [z.core.$ZodIssue, string][] = [
      [issueOf(email.sendEmailPayload, valid), 'body_missing'],
      [issueOf(email.sendEmailPayload, { ...valid, text: 'x', data: {} }), 'template_missing'],
      [
        issueOf(email.sendEmailPayload, { ...valid, text: 'x', template: 'welcome', data: { name: 'x' } }),
        'template_or_text',
      ],
      [issueOf(email.sendEmailPayload, { ...valid, template: 'welcome', data: { name: '' } }), 'min_length'],
      [issueOf(email.sendEmailPayload, { ...valid, subject: 'a\nb', text: 'x' }), 'one_line'],
      [issueOf(contracts.storableText, '\0'), 'well_formed'],
      [issueOf(contracts.jobOptions, { delayMs: 1, runAt: '2026-01-01T00:00:00Z' }), 'one_moment'],
      [issueOf(contracts.jobOptions, { runAt: '9999-01-01T00:00:00Z' }), 'moment_range'],
      [
        issueOf(report.makeReport.payload, { type: 'orders', format: 'csv', from: '2026-01-02', to: '2026-01-01' }),
        'period_order',
      ],
      [issueOf(report.makeReport.payload, { type: 'orders', format: 'csv', from: '9999-01-01' }), 'period_range'],
    ];
    expect(cases.map(([issue]) => brokenRule(issue).rule)).toEqual(cases.map(([, rule]) => rule));
  });
});

const wrongValues: readonly unknown[] = [
  undefined,
  null,
  true,
  -1,
  0,
  1.5,
  NaN,
  1e20,
  '',
  ' ',
  'x',
  '\0',
  'x\ny',
  'x'.repeat(200_000),
  '9999-12-31T00:00:00Z',
  [],
  [1],
  Array(2_000).fill('x'),
  {},
  { unknown: 1 },
  { type: 'orders', format: 'csv', from: '2026-02-01', to: '2026-01-01' },
  { to: 'ada@example.com', subject: 'x', template: 'welcome', data: { name: 7 } },
];

/** Every schema inside a value: those of job definitions, and those nested in other schemas. */
function schemasIn(value: unknown, found = new Set<z.core.$ZodType>(), seen = new Set<unknown>()) {
  if (typeof value !== 'object' || value === null || seen.has(value)) return found;
  seen.add(value);
  if (value instanceof z.core.$ZodType) {
    if (value._zod.def.type !== 'custom') found.add(value); // A refinement is not a schema of its own.
    schemasIn(value._zod.def, found, seen);
    return found;
  }
  for (const inner of Object.values(value)) schemasIn(inner, found, seen);
  return found;
}
