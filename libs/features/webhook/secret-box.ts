import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/** Outside production a process may run without a secret. Sealing with this key only prevents reading by accident. */
const developmentKey = 'for development';

/** Encrypts secrets that must be read again, for a database whose copies may be in many places. */
export class SecretBox {
  private readonly key: Buffer;

  constructor(secret: string | undefined) {
    // A key for this purpose only: it is of no use for another purpose of the same secret, and the other way round.
    this.key = Buffer.from(hkdfSync('sha256', secret ?? developmentKey, '', 'webhook secrets', 32));
  }

  /** @param owner only this owner can open the secret: in a row of another owner it cannot be opened */
  seal(text: string, owner: string): Buffer<ArrayBuffer> {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv(algorithm, this.key, iv).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
  }

  /** @throws SecretUnreadable when it was sealed with another key or for another owner, or was changed */
  open(sealed: Uint8Array, owner: string): string {
    const bytes = Buffer.from(sealed);
    try {
      const decipher = createDecipheriv(algorithm, this.key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
        .setAAD(Buffer.from(owner))
        .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
      return decipher.update(bytes.subarray(ivBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8');
    } catch (error) {
      throw new SecretUnreadable(owner, { cause: error });
    }
  }
}

export class SecretUnreadable extends Error {
  constructor(owner: string, options: ErrorOptions) {
    super(
      `The secret of ${owner} was sealed with another key. Set WEBHOOK_SECRETS_KEY to the old SIGNING_SECRET, or rotate the secret.`,
      options,
    );
    this.name = 'SecretUnreadable';
  }
}
