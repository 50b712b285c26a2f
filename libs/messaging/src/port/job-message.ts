import { z } from 'zod';
import type { JobMessage } from './broker-driver';

/** Names this system in every message it sends (CloudEvents `source`, a URI reference). */
export const messageSource = '/node-message-queue';

/** A message that says no more than this needs no more bytes. What is larger was not written by a relay. */
export const maxMessageBytes = 64 * 1024;

/**
 * A CloudEvent in structured JSON mode (https://github.com/cloudevents/spec, version 1.0), so that a service in
 * another language reads it with a library of its own. The payload stays in the ledger: `dataref` says where it
 * is to be had (the claim check pattern, the spec's own extension), so no broker ever holds a payload's secrets.
 */
export type CloudEvent = z.output<typeof cloudEvent>;

const cloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  dispatch: z.int32().min(1).optional(),
  traceparent: z.string().optional(),
});

const jobType = /^(?<kind>.+)\.v(?<version>\d{1,4})$/;

export function encodeMessage(message: JobMessage) {
  return {
    specversion: '1.0',
    id: message.id,
    source: messageSource,
    type: `${message.kind}.v${message.version}`,
    dispatch: message.dispatch,
    dataref: `/v1/jobs/${message.id}`,
    ...(message.traceparent && { traceparent: message.traceparent }),
  } satisfies CloudEvent;
}

export type ParsedMessage = Pick<JobMessage, 'id' | 'dispatch' | 'kind' | 'version' | 'traceparent'>;

/** Why a message cannot be acted on; `reason` is a stable code. */
export class UnreadableMessageError extends Error {
  constructor(
    readonly reason: 'malformed' | 'oversized' | 'foreign_source' | 'unknown_kind',
    message: string,
    readonly kind?: string,
  ) {
    super(message);
    this.name = 'UnreadableMessageError';
  }
}

/** @throws UnreadableMessageError that says what was expected and what came */
export function parseMessage(body: unknown): ParsedMessage {
  const event = cloudEvent.safeParse(Buffer.isBuffer(body) ? parseJson(body) : body);
  if (!event.success) {
    const faults = event.error.issues.map((issue) => `${issue.path.join('.') || 'message'}: ${issue.message}`);
    throw new UnreadableMessageError('malformed', `Expected a CloudEvent 1.0 in JSON. ${faults.join('; ')}`);
  }
  const { id, source, type, dispatch, traceparent } = event.data;
  if (source !== messageSource) {
    throw new UnreadableMessageError('foreign_source', `Expected source "${messageSource}", got "${source}".`);
  }
  const match = jobType.exec(type);
  if (!match?.groups || !z.uuid().safeParse(id).success || dispatch === undefined) {
    throw new UnreadableMessageError(
      'malformed',
      `Expected type "<kind>.v<version>", a UUID as id and a dispatch; got type "${type}", id "${id}", dispatch ${dispatch}.`,
    );
  }
  return {
    id: id.toLowerCase(),
    dispatch,
    kind: match.groups['kind']!,
    version: Number(match.groups['version']),
    traceparent,
  };
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length > maxMessageBytes) {
    throw new UnreadableMessageError(
      'oversized',
      `Expected at most ${maxMessageBytes} bytes, got ${bytes.length}. Put the content into storage and send a reference.`,
    );
  }
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new UnreadableMessageError('malformed', `Expected JSON: ${(error as Error).message}`);
  }
}

/** The bytes to keep of a message that was set aside. */
export function rawBytes(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
}
