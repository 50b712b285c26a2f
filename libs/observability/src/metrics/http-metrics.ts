import type { RequestHandler } from 'express';
import { Histogram, type Registry } from 'prom-client';

/** From 5 ms to 5 s: a request takes 3 s at most, an upload longer. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * Measures each request that is answered to the end, from its head to that end. The label `route` is the route's pattern, such as
 * `/v1/jobs/:id`, and `none` for a request that no route of a controller answered, Bull Board's too, so no caller chooses a value. Event
 * streams are not measured: their end says nothing.
 */
export function measureRequests(registry: Registry): RequestHandler {
  const duration = new Histogram({
    name: 'http_request_seconds',
    help: 'From the head of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: seconds,
    registers: [registry],
  });
  return (request, response, next) => {
    const end = duration.startTimer();
    response.once('finish', () => {
      if (String(response.getHeader('content-type')).startsWith('text/event-stream')) return;
      const { path } = (request.route ?? {}) as { path?: unknown };
      const isOfController = typeof path === 'string' && !path.includes('*');
      end({
        // Node accepts only the methods that it knows.
        method: request.method,
        // A router that is mounted has the caller's spelling of its path in `baseUrl`.
        route: isOfController && request.baseUrl === '' ? path : 'none',
        status: String(response.statusCode),
      });
    });
    next();
  };
}
