import type { RequestHandler } from 'express';
import { mostRows } from './board-adapter';

/**
 * Bull Board takes any `jobsPerPage`. Capped before it reckons with it, so that its pages follow each other. The cap
 * that nothing gets around is that of the adapters.
 */
export const capPageSize: RequestHandler = (request, _response, next) => {
  const [path, query] = request.url.split('?', 2);
  const parameters = new URLSearchParams(query);
  if (Number(parameters.get('jobsPerPage')) > mostRows) {
    parameters.set('jobsPerPage', String(mostRows));
    request.url = `${path}?${parameters.toString()}`;
  }
  next();
};
