import { normalizeIp } from '@nestjs/throttler';
import type { Request, Response } from 'express';
import { bodyTooLarge, invalidBody, Problem } from '../problem/problem';
import { closeAfterAnswer } from './admit-body';
import type { BodyLimits } from './body-limits';
import { BytesInFlight } from './bytes-in-flight';

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
      const declared = Number(request.headers['content-length'] ?? 0);
      if (declared > this.limits.bytes) throw tooLarge(this.limits);
      // A closed response emits no second 'close', so its bytes would stay in flight for ever.
      if (request.destroyed || response.destroyed) throw hungUp();
      // An IPv6 network counts as one address, because it belongs to one customer.
      const address = normalizeIp(request.ip ?? '');
      let reserved = declared;
      this.inFlight.add(address, declared);
      response.once('close', () => this.inFlight.remove(address, reserved));
      // A caller that sent `Expect: 100-continue` starts to send now (RFC 9110, 10.1.1).
      if (request.headers.expect !== undefined) response.writeContinue();
      return await this.readWithinLimits(request, read, (bytes) => {
        if (declared > 0) return;
        this.inFlight.add(address, bytes);
        reserved += bytes;
      });
    } catch (error) {
      closeAfterAnswer(request, response);
      throw error;
    }
  }

  /** Rejects as soon as the body exceeds a limit. */
  private async readWithinLimits<Result>(
    request: Request,
    read: () => Promise<Result>,
    reserve: (bytes: number) => void,
  ): Promise<Result> {
    const { limits } = this;
    let refuse!: (why: unknown) => void;
    const refused = new Promise<never>((_, reject) => (refuse = reject));
    let [bytes, pieces] = [0, 0];
    const look = (piece: Buffer): void => {
      bytes += piece.length;
      pieces += 1;
      silence.refresh();
      try {
        if (bytes > limits.bytes) throw tooLarge(limits);
        if (pieces > limits.pieces) throw tooManyPieces(limits);
        reserve(piece.length);
      } catch (error) {
        request.pause();
        refuse(error);
      }
    };
    const whole = setTimeout(() => refuse(tooSlow(`whole within ${limits.wholeMs / 1_000} s`)), limits.wholeMs);
    const silence: NodeJS.Timeout = setTimeout(() => {
      // Received bytes that this process has not read yet do not count as silence of the caller.
      if (request.readableLength > 0) silence.refresh();
      else refuse(tooSlow(`without a silence of ${limits.silentMs / 1_000} s`));
    }, limits.silentMs);
    try {
      const reading = read();
      request.on('data', look);
      return await Promise.race([reading, refused]);
    } finally {
      clearTimeout(whole);
      clearTimeout(silence);
      request.off('data', look);
    }
  }
}

export function hungUp(): Problem {
  const message = 'expected the whole body, got a connection that was closed before the end';
  return invalidBody([{ path: '', message }]);
}

function tooLarge({ bytes }: BodyLimits): Problem {
  return bodyTooLarge(`Expected at most ${bytes} bytes.`);
}

function tooManyPieces({ pieces }: BodyLimits): Problem {
  const detail = `Expected at most ${pieces} pieces, got more. Send larger chunks, or a Content-Length.`;
  return new Problem(413, 'body_in_too_many_pieces', 'The body comes in too many pieces', detail);
}

function tooSlow(expected: string): Problem {
  return new Problem(408, 'body_too_slow', 'The body comes too slowly', `Expected the body ${expected}.`);
}
