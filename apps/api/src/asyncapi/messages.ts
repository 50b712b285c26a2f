import { z } from 'zod';
import type { EventDefinition, JobDefinition } from '@app/contracts';
import { encodeMessage } from '@app/messaging';
import { eventMessageSchema, jobMessageSchema, jobRequestSchema } from './message-schemas';

export interface Catalogue {
  readonly jobs: readonly JobDefinition[];
  readonly events: readonly EventDefinition[];
}

/** The name of each message in `components.messages`. */
export const messageNames = {
  dispatch: ({ kind, version }: Named) => `${kind}.v${version}.dispatch`,
  request: ({ kind, version }: Named) => `${kind}.v${version}.request`,
  event: ({ kind, version }: Named) => `${kind}.v${version}`,
};

type Named = Pick<JobDefinition, 'kind' | 'version'>;

/** Describes all messages, by name. */
export function messagesOf({ jobs, events }: Catalogue): Record<string, object> {
  return Object.fromEntries([
    ...jobs.flatMap((job) => [
      [messageNames.dispatch(job), dispatchOf(job)],
      [messageNames.request(job), requestOf(job)],
    ]),
    ...events.map((event) => [messageNames.event(event), eventOf(event)]),
  ]) as Record<string, object>;
}

function dispatchOf(job: JobDefinition): object {
  const sample = {
    ...job,
    id: '01a2072e-08cd-744d-a072-036e0ba4c01a',
    dispatch: 1,
    priority: 2,
    orderKey: null,
    at: new Date('2026-11-23T06:53:07.180Z'),
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  };
  return {
    title: `Try a job of the kind ${job.kind}`,
    description: 'From this system to its own workers. It holds no payload: the payload stays in the ledger.',
    payload: toJsonSchema(jobMessageSchema(job)),
    examples: [{ payload: encodeMessage(sample) }],
  };
}

function requestOf(job: JobDefinition): object {
  return {
    title: `Ask for a job of the kind ${job.kind}`,
    description:
      'From any other service. It becomes a job, as an HTTP request does. On a broker with headers, binary mode is accepted too.',
    payload: toJsonSchema(jobRequestSchema(job)),
  };
}

function eventOf(event: EventDefinition): object {
  return {
    title: event.kind,
    description: 'A fact for every subscriber.',
    payload: toJsonSchema(eventMessageSchema(event)),
  };
}

/** Converts to JSON Schema draft 7, which is a subset of the default schema format of AsyncAPI. */
function toJsonSchema(schema: z.ZodType): object {
  const json = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  delete json.$schema;
  return json;
}
