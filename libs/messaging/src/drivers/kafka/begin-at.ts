import type { Admin } from 'kafkajs';

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
