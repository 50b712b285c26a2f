import type { Response } from 'express';

/** Runs `work` just before the head of the answer is written: the status is known, and headers can still change. */
export function beforeHead(response: Response, work: () => void): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => Response;
  response.writeHead = (...args: unknown[]) => {
    work();
    return writeHead(...args);
  };
}
