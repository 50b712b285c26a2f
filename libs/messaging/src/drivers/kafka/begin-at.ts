import type { Admin } from 'kafkajs';

/** A group that has committed nothing yet begins with what was published at that moment or later. */
export async function beginAt(admin: Admin, topic: string, groupId: string, moment: Date): Promise<void> {
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
  if (committed?.partitions.some(({ offset }) => Number(offset) >= 0)) return;
  const partitions = await admin.fetchTopicOffsetsByTimestamp(topic, moment.getTime());
  await admin.setOffsets({ groupId, topic, partitions });
}
