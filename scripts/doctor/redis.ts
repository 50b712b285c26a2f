import { Redis } from 'ioredis';
import { finding, unreachable, type Finding } from './finding';

/** The version that BullMQ 6 recommends at least; it logs a warning on an older one. */
const oldestVersion = [6, 2, 0] as const;

export async function* examineRedis(url: string): AsyncGenerator<Finding> {
  const redis = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    retryStrategy: () => null,
  });
  // ioredis rejects with "Connection is closed" alone; the event has the reason.
  let reason: Error | undefined;
  redis.on('error', (error: Error) => (reason = error));
  try {
    let info: string;
    try {
      await redis.connect();
      info = await redis.info();
    } catch (error) {
      yield unreachable('REDIS_URL', reason ?? error);
      return;
    }
    const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? 'unknown';
    yield finding(
      `it is Redis ${oldestVersion.join('.')} or newer`,
      field('redis_version'),
      isOlder(field('redis_version')) && {
        why: 'BullMQ uses commands that older versions do not have',
        proceed: 'upgrade the server',
      },
    );
    const policy = field('maxmemory_policy');
    yield finding(
      'it evicts nothing: maxmemory-policy noeviction',
      policy,
      policy !== 'noeviction' && {
        why: 'a full Redis would delete keys of BullMQ: jobs and locks disappear, and the reconciler can only repeat them',
        proceed: 'CONFIG SET maxmemory-policy noeviction, and the same line in redis.conf',
      },
    );
    const [used, most] = [Number(field('used_memory')), Number(field('maxmemory'))];
    yield finding(
      'it has free memory',
      most === 0 ? `${mib(used)} used, no limit` : `${mib(used)} of ${mib(most)} used`,
      most > 0 &&
        used > most * 0.9 && {
          why: 'at its limit Redis refuses every write, so nothing is published',
          proceed: 'raise maxmemory, or find what fills it with redis-cli --bigkeys',
        },
    );
  } finally {
    redis.disconnect();
  }
}

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number);
  const at = oldestVersion.findIndex((part, place) => part !== parts[place]);
  return at >= 0 && !((parts[at] ?? 0) > oldestVersion[at]!);
}

const mib = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;
