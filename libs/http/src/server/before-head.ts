import type { Response } from 'express';

/** Runs `work` when the status of the answer is known, and its headers can still be changed. */
export function beforeHead(response: Response, work: () => void): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => Response;
  response.writeHead = (...args: unknown[]) => {
    work();
    return writeHead(...args);
  };
}
