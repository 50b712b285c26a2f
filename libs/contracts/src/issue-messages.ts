import { z } from 'zod';

/** The rule that a value breaks, for a program with its own error texts. */
export interface BrokenRule {
  /** A stable code, such as `max_length`. */
  readonly rule: string;
  /** The limits and choices of the rule, such as `{ maximum: 500 }`. */
  readonly params?: Readonly<Record<string, unknown>>;
}

type RawIssue = z.core.$ZodRawIssue;
type Issue = z.core.$ZodIssue;

const required = 'is required';

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
};

const formatNames: Readonly<Record<string, string>> = {
  email: 'an email address such as ada@example.com',
  url: 'a URL such as https://example.com/path',
  uuid: 'a UUID such as 0190163d-8694-739b-aea5-966c26f8ad91',
  datetime: 'a date and time with a zone such as 2026-01-31T12:00:00Z',
  date: 'a date such as 2026-01-31',
  e164: 'a phone number with its country code such as +4915112345678',
};

/** By the type of a value: what its size counts, and the end of the rule's code. */
const sizes: Readonly<Record<string, { readonly unit: string; readonly suffix: string }>> = {
  string: { unit: 'character', suffix: '_length' },
  array: { unit: 'item', suffix: '_items' },
};

/** How many unknown fields one message names. The caller decides how many there are. */
const namedKeys = 5;

/**
 * What a form shows beside a field: what is expected there. A schema with its own message (`error`) does not use this.
 * @see https://zod.dev/error-customization
 */
function messageOf(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? required : `expected ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `${issue.input === undefined ? `${required}: ` : ''}expected ${oneOf(issue.values)}`;
    case 'too_small':
      return sizeMessage('at least', 'more than', issue, issue.minimum);
    case 'too_big':
      return sizeMessage('at most', 'less than', issue, issue.maximum);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return formatMessage(issue);
    case 'unrecognized_keys': {
      const more = issue.keys.length - namedKeys;
      return `has unknown fields: ${issue.keys.slice(0, namedKeys).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    }
    case 'invalid_union':
      return Array.isArray(issue.options) && issue.options.length > 0
        ? `expected ${oneOf(issue.options)}`
        : 'has none of the forms that are allowed here';
    default:
      return 'is not allowed';
  }
}

type Size = Pick<z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, 'origin' | 'inclusive' | 'exact'>;

function sizeMessage(inclusive: string, exclusive: string, size: Size, limit: number | bigint): string {
  const bound = size.exact ? 'exactly' : size.inclusive === false ? exclusive : inclusive;
  const unit = sizes[size.origin]?.unit;
  if (unit === undefined) return `must be ${bound} ${limit}`;
  if (bound === 'at least' && Number(limit) === 1) return 'must not be empty';
  return `must have ${bound} ${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
}

function formatMessage(issue: Extract<RawIssue, { code: 'invalid_format' }>): string {
  const { format, prefix, suffix, includes } = issue as typeof issue & Readonly<Record<string, unknown>>;
  if (format === 'starts_with') return `must start with "${String(prefix)}"`;
  if (format === 'ends_with') return `must end with "${String(suffix)}"`;
  if (format === 'includes') return `must contain "${String(includes)}"`;
  if (format === 'regex') return `must match ${String(issue.pattern)}`;
  return `expected ${formatNames[format] ?? `text in the format ${format}`}`;
}

function oneOf(values: readonly unknown[]): string {
  return `${values.length > 1 ? 'one of ' : ''}${values.map(String).join(', ')}`;
}

/** @returns the rule behind an issue. A refinement names its own: `params: { rule: 'one_line' }` */
export function brokenRule(issue: Issue): BrokenRule {
  switch (issue.code) {
    case 'custom':
      return { rule: 'custom', ...issue.params };
    case 'invalid_type':
      return issue.message === required ? { rule: 'required' } : { rule: 'type', params: { expected: issue.expected } };
    case 'invalid_value':
      return { rule: 'one_of', params: { values: issue.values } };
    case 'too_small':
      return { rule: `min${sizes[issue.origin]?.suffix ?? ''}`, params: { minimum: Number(issue.minimum) } };
    case 'too_big':
      return { rule: `max${sizes[issue.origin]?.suffix ?? ''}`, params: { maximum: Number(issue.maximum) } };
    case 'not_multiple_of':
      return { rule: 'multiple_of', params: { divisor: issue.divisor } };
    case 'invalid_format':
      return { rule: 'format', params: { format: issue.format } };
    case 'unrecognized_keys':
      return { rule: 'unknown_field' };
    default:
      return { rule: issue.code };
  }
}

// Applies to all schemas of the process, nested ones included, so that no caller gets the library's own texts.
z.config({ localeError: messageOf });
