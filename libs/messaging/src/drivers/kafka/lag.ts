import type { Admin } from 'kafkajs';

/**
 * How many messages of a topic a group has not committed yet. What was deleted, by retention or by hand, is not
 * there to be read.
 */
export async function lagOf(admin: Admin, topic: string, groupId: string): Promise<number> {
  const [partitions, [committed]] = await Promise.all([
    admin.fetchTopicOffsets(topic),
    admin.fetchOffsets({ groupId, topics: [topic] }),
  ]);
  const committedAt = new Map(committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  const lag = partitions.reduce((sum, { partition, low, high }) => {
    const done = committedAt.get(partition) ?? -1n;
    const from = done > BigInt(low) ? done : BigInt(low);
    return sum + (BigInt(high) - from);
  }, 0n);
  return Math.max(0, Number(lag));
}
