import { finished } from 'node:stream/promises';
import { TextDecoder } from 'node:util';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, RequestHandler, Response } from 'express';
import type { Observable } from 'rxjs';
import { invalidBody, Problem } from '../problem/problem';
import { hasBody } from './admit-body';
import { jsonLimits } from './body-limits';
import { BodyReceiver, hungUp } from './body-receiver';

const receiver = new BodyReceiver(jsonLimits);

/** Reads the JSON body of a Nest route. Interceptors run after guards, so no body of a refused caller is read. */
@Injectable()
export class ReadJsonBody implements NestInterceptor {
  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    await readJson(http.getRequest<Request>(), http.getResponse<Response>());
    return next.handle();
  }
}

/** The same for Express middleware. It must run after the check of the role. */
export const readJsonBody: RequestHandler = async (request, response, next) => {
  await readJson(request, response);
  next();
};

/**
 * Parses a JSON body into `request.body`. Does not read a body of another type.
 * @throws Problem 400 for invalid JSON, 415 for an unsupported charset, and the errors of `BodyReceiver`
 */
async function readJson(request: Request, response: Response): Promise<void> {
  if (!hasBody(request) || !request.is('application/json')) return;
  const decoder = decoderOf(request);
  const chunks: Buffer[] = [];
  await receiver.receive(request, response, () => {
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    return finished(request).catch(() => Promise.reject(hungUp()));
  });
  const bytes = Buffer.concat(chunks);
  try {
    // JSON that is not an object is accepted here. The schemas refuse it with a better message.
    request.body = bytes.length > 0 ? (JSON.parse(decoder.decode(bytes)) as unknown) : {};
  } catch (error) {
    throw invalidBody([{ path: '', message: (error as Error).message }]);
  }
}

/** JSON is UTF-8 (RFC 8259, 8.1). UTF-16 is also accepted if the charset names it. @throws Problem 415 */
function decoderOf(request: Request): TextDecoder {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  try {
    if (/^utf-/i.test(charset)) return new TextDecoder(charset);
  } catch {
    // An unknown charset.
  }
  throw new Problem(415, 'request_refused', 'The request was refused', 'Expected JSON in UTF-8, got another charset.');
}
