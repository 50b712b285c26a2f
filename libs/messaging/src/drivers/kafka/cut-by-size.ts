/**
 * In bytes. kafkajs makes one record batch of all records that are sent to a partition at once. Kafka accepts 1 MiB per
 * batch by default (https://kafka.apache.org/documentation/#brokerconfigs_message.max.bytes), and our consumers fetch
 * 256 KiB of a partition at once.
 */
export const mostBatchBytes = 240_000;

/**
 * @param size of a message, in bytes
 * @returns the messages in their order, in batches of at most `mostBatchBytes`; a larger message is a batch of its own
 */
export function cutBySize<Message>(messages: readonly Message[], size: (message: Message) => number): Message[][] {
  const batches: Message[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    bytes += size(message);
    if (bytes > mostBatchBytes) {
      batches.push([]);
      bytes = size(message);
    }
    batches.at(-1)!.push(message);
  }
  return batches;
}
