import { createHmac, timingSafeEqual } from 'node:crypto';
import { Problem, type ResultLinks } from '@app/http';

const lifeSeconds = 5 * 60;

/**
 * Signs and checks links to files. A link allows its holder to read one file for five minutes without a key, so a
 * browser, an email or another program can use it. It is signed for one method and one path.
 */
export class FileLinks implements ResultLinks {
  constructor(
    private readonly key: Buffer,
    private readonly now: () => number = Date.now,
  ) {}

  urlOf(fileId: string): string {
    const path = pathOf(fileId);
    const expires = Math.floor(this.now() / 1_000) + lifeSeconds;
    return `${path}?expires=${expires}&signature=${this.signatureOf('GET', path, expires)}`;
  }

  /** @throws Problem 403 `link_invalid` for a wrong signature, `link_expired` after five minutes */
  check(method: string, fileId: string, query: Readonly<Record<string, unknown>>): void {
    const { expires, signature } = query;
    if (typeof expires !== 'string' || typeof signature !== 'string' || !/^\d{1,12}$/.test(expires)) throw invalid();
    // Compared as text, because several texts decode to the same bytes.
    const expected = Buffer.from(this.signatureOf(method, pathOf(fileId), Number(expires)));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw invalid();
    if (Number(expires) * 1_000 <= this.now()) {
      const detail = `A link to a file is valid for five minutes. ${again}`;
      throw new Problem(403, 'link_expired', 'This link has expired', detail);
    }
  }

  private signatureOf(method: string, path: string, expires: number): string {
    return createHmac('sha256', this.key).update(`${method} ${path} ${expires}`).digest('base64url');
  }
}

function pathOf(fileId: string): string {
  return `/v1/files/${fileId}`;
}

const again = 'GET /v1/jobs/{id} gives a new one.';

function invalid(): Problem {
  const detail = `Expected the unchanged link of a job's result, got another one. ${again}`;
  return new Problem(403, 'link_invalid', 'This link was not signed here', detail);
}
