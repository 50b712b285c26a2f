import { setTimeout as delay } from 'node:timers/promises';
import type { Admin } from 'kafkajs';

/**
 * @returns how many messages of a topic a group has not committed yet. Messages that retention or an operator deleted
 *   do not count
 */
export async function lagOf(admin: Admin, topic: string, groupId: string): Promise<number> {
  const partitions = await admin.fetchTopicOffsets(topic);
  const [committed] = await committedOffsets(admin, topic, groupId);
  const committedAt = new Map(committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  const lag = partitions.reduce((sum, { partition, low, high }) => {
    const done = committedAt.get(partition) ?? -1n;
    const from = done > BigInt(low) ? done : BigInt(low);
    return sum + (BigInt(high) - from);
  }, 0n);
  return Math.max(0, Number(lag));
}

/**
 * On a Kafka that has just started, the group's coordinator may still move; kafkajs asks the old one, and only once.
 */
async function committedOffsets(
  admin: Admin,
  topic: string,
  groupId: string,
  tries = 5,
): ReturnType<Admin['fetchOffsets']> {
  try {
    return await admin.fetchOffsets({ groupId, topics: [topic] });
  } catch (error) {
    if (!(error as { retriable?: boolean }).retriable || tries === 1) throw error;
    await delay(200);
    return committedOffsets(admin, topic, groupId, tries - 1);
  }
}

/**
 * Sets where a group without committed offsets begins: at the first record that was published at `moment` or later.
 * Does nothing for a group with a committed offset.
 */
export async function beginAt(admin: Admin, topic: string, groupId: string, moment: Date): Promise<void> {
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
  if (committed?.partitions.some(({ offset }) => Number(offset) >= 0)) return;
  const partitions = await admin.fetchTopicOffsetsByTimestamp(topic, moment.getTime());
  await admin.setOffsets({ groupId, topic, partitions });
}
