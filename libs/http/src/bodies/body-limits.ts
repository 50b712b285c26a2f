/** What one body may be, and what all bodies together may be, at one process. */
export interface BodyLimits {
  readonly bytes: number;
  /** As they come from the network: thousands of chunks of one byte each cost as much as megabytes. */
  readonly pieces: number;
  /** From its first byte to its last. */
  readonly wholeMs: number;
  /** Without a byte. */
  readonly silentMs: number;
  readonly inFlight: { readonly perProcess: number; readonly perAddress: number };
}

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;

/** A job is a few fields; whatever is large belongs into storage, and its address into the job. */
export const jsonLimits: BodyLimits = {
  bytes: 256 * kilobyte,
  pieces: 2_000,
  wholeMs: 10_000,
  silentMs: 10_000,
  inFlight: { perProcess: 32 * megabyte, perAddress: 16 * megabyte },
};

export const maxUploadBytes = 10 * megabyte;

/** What a form has beside its file: boundaries, headers, fields. */
const formSlackBytes = 128 * kilobyte;

/** 10 MiB in five minutes are 280 kbit/s: a slow mobile network. In packets of the smallest size, 536 bytes. */
export const uploadLimits: BodyLimits = {
  bytes: maxUploadBytes + formSlackBytes,
  pieces: 20_000,
  wholeMs: 5 * 60_000,
  silentMs: 10_000,
  inFlight: { perProcess: 256 * megabyte, perAddress: 128 * megabyte },
};
