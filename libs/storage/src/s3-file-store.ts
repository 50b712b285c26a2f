import { addAbortSignal, type Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  NoSuchKey,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { checkContentType, checkKey, checkPrefix, contentTypeOf } from './file-key';
import { FileStore, type ByteRange, type OpenedFile, type PutOptions } from './file-store';
import { ownErrors, takingOver } from './owned-stream';
import { StorageFault } from './storage-fault';

/**
 * In milliseconds. A server that accepts no connection, or does not answer a request, within this time is unavailable. An
 * upload is sent in parts of 5 MB, so no request is larger.
 */
const waits = { connectionTimeout: 5_000, requestTimeout: 60_000, throwOnRequestTimeout: true };

export interface S3Settings {
  /** Undefined: Amazon's own endpoint for the region. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * Files in a bucket of S3, or of a compatible service. An object appears when its upload is complete. The upload of a
 * killed writer stays in the bucket, invisible, until a lifecycle rule removes it (AbortIncompleteMultipartUpload).
 */
export class S3FileStore extends FileStore {
  private readonly client: S3Client;
  private readonly bucket: string;

  constructor({ endpoint, region, bucket, accessKeyId, secretAccessKey }: S3Settings) {
    super();
    this.bucket = bucket;
    this.client = new S3Client({
      region,
      credentials: { accessKeyId, secretAccessKey },
      requestHandler: waits,
      // Only Amazon's endpoints are known to have a host name per bucket.
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      // Many compatible services do not know the newer checksums. The signature covers the length, TLS the rest.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  put(key: string, content: Readable | Buffer, options: PutOptions): Promise<{ bytes: number }> {
    return takingOver(content, (source) => this.upload(key, source, options));
  }

  private async upload(key: string, source: Readable, { contentType, signal }: PutOptions): Promise<{ bytes: number }> {
    checkKey(key);
    checkContentType(key, contentType);
    signal?.throwIfAborted();
    let bytes = 0;
    const upload = new Upload({
      client: this.client,
      // Two parts of 5 MB are in memory, however long the stream is.
      queueSize: 2,
      params: { Bucket: this.bucket, Key: key, Body: source, ContentType: contentType },
    });
    upload.on('httpUploadProgress', ({ loaded = 0 }) => (bytes = Math.max(bytes, loaded)));
    const abort = () => void upload.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await upload.done();
      return { bytes };
    } catch (error) {
      // When the upload was aborted, the signal has the reason; the error of S3 does not.
      signal?.throwIfAborted();
      throw source.errored ?? new StorageFault('S3_BUCKET', 'stored', error);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async open(key: string, range?: ByteRange, signal?: AbortSignal): Promise<OpenedFile | undefined> {
    checkKey(key);
    try {
      const { Body, ContentLength, ContentRange, ContentType } = await this.client.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: key, Range: range && `bytes=${range.start}-${range.end}` }),
        { ...(signal && { abortSignal: signal }) },
      );
      const stream = ownErrors(Body as Readable);
      if (signal) addAbortSignal(signal, stream);
      const whole = ContentRange?.split('/')[1] ?? ContentLength;
      return { stream, bytes: Number(whole), contentType: ContentType ?? contentTypeOf(key) };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      signal?.throwIfAborted();
      throw new StorageFault('S3_BUCKET', 'read', error);
    }
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
  }

  async removeAll(prefix: string): Promise<void> {
    checkPrefix(prefix);
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client: this.client },
      { Bucket: this.bucket, Prefix: prefix },
    )) {
      if (Contents.length === 0) continue;
      const Objects = Contents.map(({ Key }) => ({ Key }));
      const { Errors = [] } = await this.client.send(
        new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects, Quiet: true } }),
      );
      if (Errors[0]) throw new Error(`S3 did not remove ${Errors[0].Key}: ${Errors[0].Message}`);
    }
  }

  async check(): Promise<void> {
    try {
      await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }));
    } catch (error) {
      const { name, message } = error as Error;
      const expected = 'expected a bucket that these keys may use';
      throw new Error(`S3_BUCKET: ${expected}, got "${this.bucket}" (${name}: ${message}).`, { cause: error });
    }
  }
}
