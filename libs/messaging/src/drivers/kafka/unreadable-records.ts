import { randomUUID } from 'node:crypto';
import { CompressionCodecs, CompressionTypes, type KafkaMessage } from 'kafkajs';

/**
 * kafkajs reads uncompressed records and gzip. At any other codec, and at damaged gzip, its consumer ends and does not
 * say which record caused it. Here such a batch is read as the number of records that its header names, each at its own
 * offset and with a header that only this process knows. These records are delivered like any others, and are
 * dead-lettered.
 */
const mark = randomUUID();

/**
 * The length of the header of a record batch, in bytes. The compressed records follow it:
 * https://kafka.apache.org/documentation/#recordbatch
 */
const headerBytes = 61;
const magicAt = 16;
const lastOffsetDeltaAt = 23;
const countAt = 57;

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** @returns why kafkajs could not read the record; undefined when it could */
export function unreadable({ headers }: Pick<KafkaMessage, 'headers'>): string | undefined {
  return headers?.[mark]?.toString();
}

/** Wraps the codecs of kafkajs, for the whole process. Call it once, before a consumer is created. */
export function replaceUnreadableRecords(): void {
  const types = [CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD] as const;
  const codecs = CompressionCodecs as Record<number, () => Codec>;
  for (const type of types) {
    const codecOf = codecs[type]!;
    codecs[type] = () => ({
      compress: (encoder) => codecOf().compress(encoder),
      decompress: async (buffer) => {
        try {
          return await codecOf().decompress(buffer);
        } catch (error) {
          return inTheirPlace(buffer, error as Error);
        }
      },
    });
  }
}

/** @param records a view on the whole batch, as kafkajs passes it */
function inTheirPlace(records: Buffer, error: Error): Buffer {
  if (records.byteOffset < headerBytes) throw error;
  const header = Buffer.from(records.buffer, records.byteOffset - headerBytes, headerBytes);
  if (header.readInt8(magicAt) !== 2) throw error;
  const [count, lastOffsetDelta] = [header.readInt32BE(countAt), header.readInt32BE(lastOffsetDeltaAt)];
  return Buffer.concat(
    Array.from({ length: count }, (_, n) =>
      // Only the first record holds the bytes of the batch.
      record(n === count - 1 ? lastOffsetDelta : n, n === 0 ? records : Buffer.alloc(0), error.message),
    ),
  );
}

/** https://kafka.apache.org/documentation/#record */
function record(offsetDelta: number, value: Buffer, why: string): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]), // attributes
    varint(0), // timestamp delta
    varint(offsetDelta),
    varint(-1), // no key
    ...sized(value),
    varint(1), // headers
    ...sized(Buffer.from(mark)),
    ...sized(Buffer.from(why)),
  ]);
  return Buffer.concat(sized(body));
}

function sized(bytes: Buffer): [Buffer, Buffer] {
  return [varint(bytes.length), bytes];
}

/** Zigzag encoding, as in Protocol Buffers. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = ((value << 1) ^ (value >> 31)) >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
