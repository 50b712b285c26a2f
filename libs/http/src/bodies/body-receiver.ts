import type { Request, Response } from 'express';
import { addressOf } from '../request/address';
import { bodyTooLarge, invalidBody, Problem } from '../problem/problem';
import type { BodyLimits } from './body-limits';
import { BytesInFlight } from './bytes-in-flight';
import { closeAfterAnswer } from './close-unread';

/** Receives bodies and enforces their limits. This process reads every body through a receiver. */
export class BodyReceiver {
  private readonly inFlight: BytesInFlight;

  constructor(private readonly limits: BodyLimits) {
    this.inFlight = new BytesInFlight(limits.inFlight);
  }

  /**
   * Receives one body. Its bytes count as in flight until the request is answered, because they stay in memory until
   * then.
   * @param read must attach its listeners synchronously; resolves when the body is read
   * @returns the result of `read`
   * @throws Problem 408, 413, 429 or 503, or the error of `read`. The connection is closed after the answer.
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
    // A closed response emits no second 'close', so its bytes would stay in flight for ever.
    if (request.destroyed || response.destroyed) throw hungUp();
    const reserve = this.reservationOf(request, response);
    reserve(declared);
    // A caller that sent `Expect: 100-continue` starts to send now (RFC 9110, 10.1.1).
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

  /** Rejects as soon as the body exceeds a limit. Never resolves. */
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
        // Received bytes that this process has not read yet do not count as silence of the caller.
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
    { path: '', message: 'expected the whole body, got a connection that was closed before the end' },
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
