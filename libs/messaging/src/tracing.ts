import {
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
} from '@opentelemetry/api';
import type { ClaimedJob } from '@app/ledger';
import type { Settled } from './messaging-signals';

/**
 * The spans of the core, with the names and attributes of OpenTelemetry's conventions for messaging, version 1.45
 * (https://github.com/open-telemetry/semantic-conventions/blob/v1.45.0/docs/messaging/messaging-spans.md). Without an
 * SDK, which only a process with OTEL_EXPORTER_OTLP_ENDPOINT loads, they are recorded nowhere.
 */
const tracer = trace.getTracer('node-message-queue');

/** In a context: the id that the next span gets, 16 hexadecimal digits. Without it, the id is random. */
export const spanIdKey = createContextKey('node-message-queue span id');

/** @returns the `traceparent` of the current span; undefined when there is none */
export function activeTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** A message that the broker has confirmed. */
export interface SentMessage {
  readonly id: string;
  readonly kind: string;
  readonly queue?: string;
  readonly at: Date;
  readonly traceparent: string | null;
}

/** Records a span for each message: from the moment when it was due until the broker has confirmed it. */
export function recordSent(broker: string, messages: readonly SentMessage[]): void {
  if (!isRecorded()) return;
  for (const { id, kind, queue = kind, at, traceparent } of messages) {
    if (isLeftOut(traceparent)) continue;
    const attributes = attributesOf('send', { broker, queue, id, kind });
    const options = { kind: SpanKind.PRODUCER, startTime: at, attributes };
    tracer.startSpan(`send ${queue}`, options, contextFrom(traceparent)).end();
  }
}

/**
 * Runs an attempt in a span of its own, a child of the request that enqueued the job. The span of the first attempt
 * has the last 16 digits of the job's id as its id: so each later attempt, in whatever process, can link it.
 * @throws the error of `run`
 */
export function inAttemptSpan(job: ClaimedJob, run: () => Promise<void>): Promise<void> {
  return isRecorded() && !isLeftOut(job.traceparent) ? runInAttemptSpan(job, run) : run();
}

async function runInAttemptSpan(job: ClaimedJob, run: () => Promise<void>): Promise<void> {
  const parent = contextFrom(job.traceparent);
  const parentSpan = trace.getSpanContext(parent);
  const firstId = job.id.replaceAll('-', '').slice(-16);
  const links = job.isFirst || !parentSpan ? [] : [{ context: { ...parentSpan, spanId: firstId } }];
  const attributes = { ...attributesOf('process', job), 'job.attempt': job.attempt, 'job.dispatch': job.dispatch };
  const span = context.with(job.isFirst ? ROOT_CONTEXT.setValue(spanIdKey, firstId) : ROOT_CONTEXT, () =>
    tracer.startSpan(`process ${job.queue}`, { kind: SpanKind.CONSUMER, attributes, links }, parent),
  );
  try {
    await context.with(trace.setSpan(parent, span), run);
  } finally {
    span.end();
  }
}

/** Adds the outcome to the span of the attempt. The text of the error stays out: it may quote the payload. */
export function recordOutcome({ state, error }: Pick<Settled, 'state' | 'error'>): void {
  const span = trace.getActiveSpan();
  span?.setAttribute('job.state', state);
  if (error) span?.setAttribute('error.type', error.code).setStatus({ code: SpanStatusCode.ERROR });
}

function attributesOf(
  operation: 'send' | 'process',
  { broker, queue, id, kind }: Pick<ClaimedJob, 'broker' | 'queue' | 'id' | 'kind'>,
): Attributes {
  return {
    'messaging.system': broker,
    'messaging.destination.name': queue,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.message.id': id,
    'job.kind': kind,
  };
}

/** Whether an SDK is loaded, which registers a propagator. */
function isRecorded(): boolean {
  return propagation.fields().length > 0;
}

/** Whether the request was not sampled: its spans would be made and thrown away. */
function isLeftOut(traceparent: string | null): boolean {
  return traceparent !== null && /[02468ace]$/.test(traceparent);
}

/** @returns a context whose span is the one that a `traceparent` names; without a span when it names none */
function contextFrom(traceparent: string | null): Context {
  return propagation.extract(ROOT_CONTEXT, traceparent === null ? {} : { traceparent });
}
