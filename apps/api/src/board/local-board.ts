import type { AppViewRoute } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import type { NextFunction, Request, Response } from 'express';
import { boardStyle } from './allowed-actions';

/** Bull Board whose page asks no other host for its fonts, and shows no action that the ledger would refuse. */
export class LocalBoard extends ExpressAdapter {
  constructor() {
    super();
    this.app.disable('x-powered-by');
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
