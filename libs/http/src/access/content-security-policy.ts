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

/** Allows nothing from another host and nothing inline. */
export const strictPolicy = serve(policy);

/** Also allows inline styles, which the page of Swagger UI contains. */
export const swaggerPolicy = serve({ ...policy, 'style-src': ["'self'", "'unsafe-inline'"] });

/**
 * Also allows inline styles, with which mermaid draws, and the inline scripts of the docs site.
 * @param scriptHashes sources such as `'sha256-…'`, quotes included
 */
export const docsSitePolicy = (scriptHashes: readonly string[]): RequestHandler =>
  serve({
    ...policy,
    'script-src': ["'self'", ...scriptHashes],
    'style-src': ["'self'", "'unsafe-inline'"],
    'font-src': ["'self'"],
    'form-action': ["'none'"],
  });

/** Also allows inline styles and a `<base>` element, which the page of Bull Board contains. */
export const bullBoardPolicy = serve({
  ...policy,
  'style-src': ["'self'", "'unsafe-inline'"],
  'base-uri': ["'self'"],
});
