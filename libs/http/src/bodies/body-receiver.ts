import type { Request, Response } from 'express';
import { addressOf } from '../request/address';
import { bodyTooLarge, invalidBody, Problem } from '../problem/problem';
import type { BodyLimits } from './body-limits';
import { BytesInFlight } from './bytes-in-flight';
import { closeAfterAnswer } from './close-unread';

/** Every body that this process reads comes through one of these, so that every one is held to its limits. */
export class BodyReceiver {
  private readonly inFlight: BytesInFlight;

  constructor(private readonly limits: BodyLimits) {
    this.inFlight = new BytesInFlight(limits.inFlight);
  }

  /**
   * Its bytes count as in flight until the request is answered: until then its content is in memory.
   * @param read attaches the reader of the body, at once; resolves when the body is read
   * @throws Problem 408, 413, 429 or 503, and the error of `read`. The connection is closed after the answer.
   */
  async receive<Result>(request: Request, response: Response, read: () => Promise<Result>): Promise<Result> {
    try {
      return await this.watch(request, response, read);
    } catch (error) {
      closeAfterAnswer(request, response);
      throw error;
    }
  }

  private async watch<Result>(request: Request, response: Response, read: () => Promise<Result>): Promise<Result> {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > this.limits.bytes) throw tooLarge(this.limits);
    // What has closed already does not say so again, and its bytes would be in flight for ever.
    if (request.destroyed || response.destroyed) throw hungUp();
    const reserve = this.reservationOf(request, response);
    reserve(declared);
    // Only now does a caller who asks first begin to send (RFC 9110, 10.1.1).
    if (request.headers.expect !== undefined) response.writeContinue();
    const watched = new AbortController();
    try {
      return await Promise.race([read(), this.overLimit(request, declared === 0 ? reserve : () => undefined, watched)]);
    } finally {
      watched.abort();
    }
  }

  private reservationOf(request: Request, response: Response): (bytes: number) => void {
    const address = addressOf(request);
    let reserved = 0;
    response.once('close', () => this.inFlight.remove(address, reserved));
    return (bytes) => {
      this.inFlight.add(address, bytes);
      reserved += bytes;
    };
  }

  /** Rejects as soon as the body is beyond a limit; resolves never. */
  private overLimit(request: Request, reserve: (bytes: number) => void, { signal }: AbortController): Promise<never> {
    const { limits } = this;
    return new Promise<never>((_, reject) => {
      const seen = { bytes: 0, pieces: 0 };
      const look = (piece: Buffer): void => {
        seen.bytes += piece.length;
        seen.pieces += 1;
        silence.refresh();
        const fault = this.faultOf(seen, () => reserve(piece.length));
        if (!fault) return;
        request.pause();
        reject(fault);
      };
      const whole = setTimeout(() => reject(tooSlow(`whole within ${limits.wholeMs / 1_000} s`)), limits.wholeMs);
      const silence: NodeJS.Timeout = setTimeout(() => {
        // Bytes that have come and wait for us are not the caller's silence.
        if (request.readableLength > 0) silence.refresh();
        else reject(tooSlow(`without a silence of ${limits.silentMs / 1_000} s`));
      }, limits.silentMs);
      request.on('data', look);
      signal.addEventListener('abort', () => {
        clearTimeout(whole);
        clearTimeout(silence);
        request.off('data', look);
      });
    });
  }

  private faultOf(seen: { bytes: number; pieces: number }, reserve: () => void): Problem | undefined {
    if (seen.bytes > this.limits.bytes) return tooLarge(this.limits);
    if (seen.pieces > this.limits.pieces) return tooManyPieces(this.limits);
    try {
      reserve();
      return undefined;
    } catch (error) {
      return error as Problem;
    }
  }
}

export function hungUp(): Problem {
  return invalidBody([
    { path: '', message: 'expected the whole body, got a connection that was closed in its middle' },
  ]);
}

function tooLarge({ bytes }: BodyLimits): Problem {
  return bodyTooLarge(`Expected at most ${bytes} bytes.`);
}

function tooManyPieces({ pieces }: BodyLimits): Problem {
  return new Problem(
    413,
    'body_in_too_many_pieces',
    'The body comes in too many pieces',
    `Expected at most ${pieces} pieces, got more. Send larger chunks, or a Content-Length.`,
  );
}

function tooSlow(expected: string): Problem {
  return new Problem(408, 'body_too_slow', 'The body comes too slowly', `Expected the body ${expected}.`);
}
