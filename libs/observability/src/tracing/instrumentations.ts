import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';

/** Pages, files of the web client, probes and metrics: they make no job. */
const notTraced = /^\/($|app|assets|admin|docs|learn|health|metrics)/;

/** Begins to record the requests that arrive, those that handlers send, and the statements of both. */
export function instrument(): void {
  registerInstrumentations({
    instrumentations: [
      new HttpInstrumentation({
        requireParentforOutgoingSpans: true,
        ignoreIncomingRequestHook: ({ url = '' }) => notTraced.test(url),
        // Without the query: in a link to a file, it is a signature that gives access to the file.
        startIncomingSpanHook: ({ url = '' }) => ({ 'url.path': url.split('?', 1)[0]!, 'url.query': '' }),
      }),
      // A group of jobs, the relay and the heartbeats have no parent: their statements belong to no request and no job.
      new PgInstrumentation({ requireParentSpan: true }),
      new UndiciInstrumentation({
        requireParentforSpans: true,
        // The path of a webhook may hold a token that gives access to its receiver.
        startSpanHook: ({ origin }) => ({ 'url.full': origin, 'url.path': '', 'url.query': '' }),
      }),
    ],
  });
}
