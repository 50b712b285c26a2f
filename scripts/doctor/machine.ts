import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finding, type Finding } from './finding';

const leastFree = 0.1;
const gib = 1_024 ** 3;
const leastFreeBytes = 10 * gib;

/** @param folders where this system writes on this machine, by the variable that names them */
export async function* examineMachine(folders: Readonly<Record<string, string>>): AsyncGenerator<Finding> {
  const major = parseInt(process.versions.node);
  // https://nodejs.org/en/about/previous-releases
  const isOld = major < 22;
  yield finding(
    'Node is supported',
    isOld ? `${process.version}, which gets no fixes since April 2026: use 24` : process.version,
  );
  for (const [variable, folder] of Object.entries(folders)) {
    const { bavail, blocks, bsize } = await statfs(existsSync(folder) ? folder : dirname(folder)).catch(() =>
      statfs('.'),
    );
    const share = bavail / blocks;
    yield finding(
      `the disk of ${variable} has room`,
      `${((bavail * bsize) / gib).toFixed(1)} GiB free, ${Math.round(share * 100)} %`,
      share < leastFree &&
        bavail * bsize < leastFreeBytes && {
          why: 'on a full disk the embedded PostgreSQL stops, and no file is stored',
          proceed: 'free space, or move the folder; RETENTION_… deletes old rows sooner',
        },
    );
  }
}
