/** The limits of one body, and of all bodies together, in one process. */
export interface BodyLimits {
  readonly bytes: number;
  /** The number of chunks from the network. Thousands of chunks of one byte cost as much as megabytes. */
  readonly pieces: number;
  /** The time from the first byte to the last, in ms. */
  readonly wholeMs: number;
  /** The longest time without a byte, in ms. */
  readonly silentMs: number;
  /** The bytes of all bodies that are being received or worked on. */
  readonly inFlight: { readonly perProcess: number; readonly perAddress: number };
}

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;

/** A job has a few fields. Large data belongs in storage, and the job holds its address. */
export const jsonLimits: BodyLimits = {
  bytes: 256 * kilobyte,
  pieces: 2_000,
  wholeMs: 10_000,
  silentMs: 10_000,
  inFlight: { perProcess: 32 * megabyte, perAddress: 16 * megabyte },
};

export const maxUploadBytes = 10 * megabyte;

/** The size of a form without its file: boundaries, headers, fields. */
const formSlackBytes = 128 * kilobyte;

/**
 * 10 MiB in five minutes need 280 kbit/s, a slow mobile network. `pieces` allows packets of the smallest size, 536
 * bytes.
 */
export const uploadLimits: BodyLimits = {
  bytes: maxUploadBytes + formSlackBytes,
  pieces: 20_000,
  wholeMs: 5 * 60_000,
  silentMs: 10_000,
  inFlight: { perProcess: 256 * megabyte, perAddress: 128 * megabyte },
};
