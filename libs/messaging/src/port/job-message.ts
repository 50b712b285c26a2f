import { z } from 'zod';
import { BinaryEvent } from './binary-mode';
import type { EventMessage, JobMessage } from './publisher';

/** CloudEvents `source` (a URI reference) of every message that this system publishes. */
export const messageSource = '/node-message-queue';

/** A larger message is dead-lettered: our relay never publishes one. */
export const maxMessageBytes = 64 * 1024;

/**
 * A CloudEvent (https://github.com/cloudevents/spec, version 1.0) in structured JSON mode, with the fields that we read
 * from any message: ours, an event, or a message from another service.
 */
export type CloudEvent = z.output<typeof cloudEvent>;

const cloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(1_000),
  source: z.string().min(1).max(1_000),
  type: z.string().min(1).max(1_000),
  dispatch: z.unknown().optional(),
  traceparent: z
    .string()
    .regex(/^[\da-f-]{1,60}$/)
    .optional()
    .catch(undefined),
  /** Our own extension attribute: the tenant for whom another service requests a job. */
  tenant: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/)
    .optional(),
  subject: z.string().optional(),
  time: z.string().optional(),
  data: z.unknown().optional(),
});

/** Applies to our own messages only. Other services may use these names for something else. */
const jobId = z.uuid();
const dispatchNumber = z.int32().min(1);

const versionedType = /^(?<kind>.+)\.v(?<version>\d{1,4})$/;

/**
 * @returns the CloudEvent of a dispatch: "try job X, dispatch N". The payload stays in the ledger; `dataref` is the
 *   address of the job at the API (the claim check pattern). So the broker does not hold the secrets of a payload.
 */
export function encodeMessage(message: JobMessage) {
  return {
    specversion: '1.0',
    id: message.id,
    source: messageSource,
    type: `${message.kind}.v${message.version}`,
    time: message.at.toISOString(),
    dispatch: message.dispatch,
    dataref: `/v1/jobs/${message.id}`,
    ...(message.traceparent && { traceparent: message.traceparent }),
  } satisfies CloudEvent;
}

/** All fields of a dispatch, as `encodeMessage` writes them. */
const dispatchFields = new Set(['specversion', 'id', 'source', 'type', 'time', 'dispatch', 'dataref', 'traceparent']);
const longestField = 1_000;

/** @returns whether a parsed body contains nothing but the fields of a dispatch */
export function isDispatch(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || (body as { source?: unknown }).source !== messageSource)
    return false;
  return Object.entries(body).every(
    ([field, value]) =>
      dispatchFields.has(field) &&
      (typeof value === 'number' || (typeof value === 'string' && value.length <= longestField)),
  );
}

/** The message holds all data of the event, so that a subscriber needs no further request. */
export function encodeEvent({ id, kind, version, tenant, key, at, traceparent, data }: EventMessage) {
  return {
    specversion: '1.0',
    id,
    source: messageSource,
    type: `${kind}.v${version}`,
    time: at.toISOString(),
    datacontenttype: 'application/json',
    tenant,
    ...(key !== null && { subject: key, partitionkey: key }),
    ...(traceparent && { traceparent }),
    data,
  } satisfies CloudEvent;
}

/** "Try job X, dispatch N", as our relay publishes it. */
export interface ParsedMessage extends Pick<JobMessage, 'id' | 'dispatch' | 'kind' | 'version'> {
  readonly traceparent: string | undefined;
}

/** A job that another service requests with a CloudEvent of its own. `source` and `id` make it unique. */
export interface ForeignEvent extends Omit<ParsedMessage, 'dispatch'> {
  readonly source: string;
  readonly tenant: string | undefined;
  readonly data: unknown;
}

/** A message that cannot be handled. `reason` is a stable code. */
export class UnreadableMessageError extends Error {
  constructor(
    readonly reason:
      | 'given_up'
      | 'unreadable_record'
      | 'malformed'
      | 'oversized'
      | 'unknown_kind'
      | 'newer_version'
      | 'payload_invalid'
      | 'intake_failed',
    message: string,
    readonly about: { readonly kind?: string; readonly source?: string } = {},
  ) {
    super(message);
    this.name = 'UnreadableMessageError';
  }
}

/**
 * Parses a message on a queue of jobs: from our relay, or from another service.
 * @throws UnreadableMessageError that says what was expected and what came
 */
export function parseMessage(body: unknown): ParsedMessage | ForeignEvent {
  const { id, source, kind, version, dispatch, traceparent, tenant, data } = parseEvent(body);
  if (source !== messageSource) return { source, id, kind, version, traceparent, tenant, data };
  const dispatched = dispatchNumber.safeParse(dispatch);
  if (dispatched.success && jobId.safeParse(id).success) {
    return { id: id.toLowerCase(), dispatch: dispatched.data, kind, version, traceparent };
  }
  const shown = typeof dispatch === 'number' ? dispatch : typeof dispatch;
  throw new UnreadableMessageError(
    'malformed',
    `Expected a UUID as id and a dispatch from 1 on; got id "${id}", dispatch ${shown}.`,
    { kind, source },
  );
}

/**
 * Parses an event from any service, on a subscriber's queue or on a queue of jobs. `source` and `id` make it unique.
 * @returns the event with the kind and the version that its type names
 * @throws UnreadableMessageError
 */
export function parseEvent(body: unknown) {
  const parsed = cloudEvent.safeParse(unpack(body));
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'message'}: ${issue.message}`);
    throw new UnreadableMessageError('malformed', `Expected a CloudEvent 1.0 in JSON. ${faults.join('; ')}`);
  }
  // Field by field: copying an object with unknown fields is slow, and this runs for each message.
  const { type, id, source, dispatch, traceparent, tenant, subject, time, data } = parsed.data;
  const groups = versionedType.exec(type)?.groups;
  if (!groups) {
    throw new UnreadableMessageError('malformed', `Expected type "<kind>.v<version>", got "${type}".`, { source });
  }
  const [kind, version] = [groups['kind']!, Number(groups['version'])];
  // A client library may have parsed the body already, so the size of the data is checked again.
  if (data !== undefined) assertSize(sizeOf(data), { kind, source });
  return { id, source, kind, version, dispatch, traceparent, tenant, subject, time, data };
}

/** @returns whether the message comes from another service and not from our relay */
export function isForeign(message: ParsedMessage | ForeignEvent): message is ForeignEvent {
  return 'source' in message;
}

/** @returns what a client library has parsed, or the JSON of the bytes */
function unpack(body: unknown): unknown {
  if (!Buffer.isBuffer(body) && !(body instanceof BinaryEvent)) return body;
  const [bytes, source] = Buffer.isBuffer(body) ? [body] : [body.bytes, body.attributes['source']];
  const about = source === undefined ? {} : { source };
  assertSize(bytes.length, about);
  try {
    return body instanceof BinaryEvent ? body.toStructured() : (JSON.parse(bytes.toString('utf8')) as unknown);
  } catch (error) {
    throw new UnreadableMessageError('malformed', `Expected JSON: ${(error as Error).message}`, about);
  }
}

function assertSize(bytes: number, about: UnreadableMessageError['about']): void {
  if (bytes <= maxMessageBytes) return;
  throw new UnreadableMessageError(
    'oversized',
    `Expected at most ${maxMessageBytes} bytes, got ${bytes}. Put the content into storage and send a reference.`,
    about,
  );
}

/**
 * @returns the length of the value as JSON, in bytes
 * @throws UnreadableMessageError for a value that is nested too deeply to be written as JSON
 */
function sizeOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch (error) {
    throw new UnreadableMessageError(
      'malformed',
      `Expected JSON that can be written again: ${(error as Error).message}`,
    );
  }
}

const mostRawBytes = 1024 * 1024;

/** @returns the bytes of a dead-lettered message that are kept: the first 1 MiB */
export function rawBytes(body: unknown): Buffer {
  const whole = body instanceof BinaryEvent ? wholeOf(body) : body;
  return (Buffer.isBuffer(whole) ? whole : Buffer.from(textOf(whole))).subarray(0, mostRawBytes);
}

/** With its attributes, so that the message can be sent again; without them when its data are not JSON. */
function wholeOf(event: BinaryEvent): unknown {
  try {
    return event.toStructured();
  } catch {
    return event.bytes;
  }
}

function textOf(body: unknown): string {
  try {
    // JSON has no text for undefined.
    return body === undefined ? '' : JSON.stringify(body);
  } catch (error) {
    return `(${(error as Error).message})`;
  }
}
