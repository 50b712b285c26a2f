import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finding, type Finding } from './finding';

const leastFree = 0.1;
const gib = 1_024 ** 3;

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
    const { bavail, blocks, bsize } = await statfs(folder).catch(() => statfs(dirname(folder)));
    const share = bavail / blocks;
    yield finding(
      `the disk of ${variable} has room`,
      `${((bavail * bsize) / gib).toFixed(1)} GiB free, ${Math.round(share * 100)} %`,
      share < leastFree && {
        why: 'a full disk stops PostgreSQL, and then no job is accepted',
        proceed: 'free space, or move the folder; RETENTION_… deletes old rows sooner',
      },
    );
  }
}
