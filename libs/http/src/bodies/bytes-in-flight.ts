import { Problem } from '../problem/problem';
import type { BodyLimits } from './body-limits';

/** Counts the bytes of the bodies that are being received or worked on, for this process and for each address. */
export class BytesInFlight {
  private total = 0;
  private readonly byAddress = new Map<string, number>();

  constructor(private readonly most: BodyLimits['inFlight']) {}

  /** @throws Problem 429 or 503 if there are too many bytes; then it adds nothing */
  add(address: string, bytes: number): void {
    const ofAddress = (this.byAddress.get(address) ?? 0) + bytes;
    if (ofAddress > this.most.perAddress) {
      throw tooMany(429, `from one address, got more from yours; behind a proxy, TRUST_PROXY tells callers apart`);
    }
    if (this.total + bytes > this.most.perProcess) throw tooMany(503, 'in one process, got more');
    this.total += bytes;
    this.byAddress.set(address, ofAddress);
  }

  remove(address: string, bytes: number): void {
    this.total -= bytes;
    const left = (this.byAddress.get(address) ?? 0) - bytes;
    if (left > 0) this.byAddress.set(address, left);
    else this.byAddress.delete(address);
  }
}

function tooMany(status: 429 | 503, what: string): Problem {
  const title = 'Too many bodies are being received';
  const detail = `Expected bodies of a limited size at once ${what}. Nothing was accepted; send the request again in a moment.`;
  return new Problem(status, 'too_many_bytes_in_flight', title, detail, undefined, { 'Retry-After': '1' });
}
