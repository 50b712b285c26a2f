import type { RequestHandler } from 'express';
import helmet from 'helmet';

const policy = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'script-src-attr': ["'none'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

const serve = (directives: Record<string, string[]>): RequestHandler =>
  helmet.contentSecurityPolicy({ useDefaults: false, directives });

/** Nothing from another host, nothing inline. */
export const strictPolicy = serve(policy);

/** Swagger UI brings its styles in the page. */
export const swaggerPolicy = serve({ ...policy, 'style-src': ["'self'", "'unsafe-inline'"] });

/** Bull Board too, and its page names the path that its links count from. */
export const bullBoardPolicy = serve({
  ...policy,
  'style-src': ["'self'", "'unsafe-inline'"],
  'base-uri': ["'self'"],
});
