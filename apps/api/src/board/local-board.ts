import type { AppViewRoute, HTTPStatus } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import { Logger } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { describeError, toProblem } from '@app/http';
import { Conflict } from './board-adapter';

/**
 * Hides the buttons of actions that the API refuses. The rules find a button by its Lucide icon. Retry stays visible.
 * Remove stays visible for an open job: a failed job also has a retry button, and a completed job has no pencil.
 */
const boardStyle = `
  ul[class*='jobActions'] li, ul[class*='queueActions'] li, button:has(> .lucide-ellipsis-vertical) { display: none }
  ul[class*='jobActions'] li:has(.lucide-refresh-cw), ul[class*='queueActions'] li:has(.lucide-refresh-cw) { display: revert }
  ul[class*='jobActions']:has(.lucide-pencil):not(:has(.lucide-refresh-cw)) li:has(.lucide-trash-2) { display: revert }
`;

/** Bull Board without fonts from another host, and without buttons for actions that the API refuses. */
export class LocalBoard extends ExpressAdapter {
  private readonly logger = new Logger('Board');

  constructor() {
    super();
    this.app.disable('x-powered-by');
  }

  /**
   * Answers with a problem document. Bull Board would send the message of the error, in which a database or a parser
   * may quote the data that it rejected.
   */
  override setErrorHandler(): this {
    return super.setErrorHandler((error) => {
      const key = 'ERRORS.INTERNAL_SERVER_ERROR';
      if (error instanceof Conflict) return { status: 409, body: { error: { key }, message: error.message } };
      const problem = toProblem(error, { method: 'GET', path: this.basePath });
      if (problem.status >= 500) this.logger.error(describeError(error), problem.title);
      const body = { ...problem.toDocument(), error: { key }, message: problem.message };
      // The type of Bull Board's statuses lacks 503.
      return { status: problem.status as HTTPStatus, body };
    });
  }

  override setEntryRoute(entry: AppViewRoute): this {
    this.app[entry.method](entry.route, (_request: Request, response: Response, next: NextFunction) => {
      const { name, params } = entry.handler({ basePath: this.basePath, uiConfig: this.uiConfig });
      response.render(name, params, (error: Error | null, html: string) => {
        if (error) next(error);
        else response.send(localised(html));
      });
    });
    return this;
  }
}

function localised(html: string): string {
  return html
    .replaceAll(/<link\b[^>]*\bhref="https?:[^>]*>/g, '')
    .replace('</head>', `<style>${boardStyle}</style></head>`);
}
