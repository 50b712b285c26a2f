import { Statement, type Database } from '../statement';
import { ChangeCursor } from './change-cursor';

/** What one reader gets at a time, and what one transaction has written beyond that. */
export const changesAtOnce = 100;

export interface ChangeReader {
  readonly tenant: string;
  readonly cursor: ChangeCursor;
}

export interface Changes {
  /** Which jobs have changed, each once, in the order of their last changes; and where to go on after each. */
  readonly jobs: readonly { readonly id: string; readonly cursor: ChangeCursor }[];
  /** Where to go on after all of them. */
  readonly cursor: ChangeCursor;
  /** There was nothing else when this was read. */
  readonly isAll: boolean;
}

const nowStatement = new Statement<{ snapshot: string }>(
  'changes_now',
  `SELECT pg_current_snapshot()::text AS snapshot`,
);

/**
 * Everything that is visible now and was not to the reader's snapshot: what was written by the transactions that were
 * running then, and by those that began later. Two index scans for each reader; a transaction that stays open for
 * hours makes neither of them longer.
 */
const changesStatement = new Statement<{
  place: number;
  jobId: string | null;
  xid: string | null;
  isLater: boolean | null;
  snapshot: string;
}>(
  'changes',
  `SELECT place::int, job_id AS "jobId", xid::text AS xid, is_later AS "isLater", pg_current_snapshot()::text AS snapshot
     FROM unnest($1::text[], $2::pg_snapshot[]) WITH ORDINALITY AS reader(tenant, seen, place)
     LEFT JOIN LATERAL (
       (SELECT job_id, xid, false AS is_later FROM job_event
         WHERE tenant = reader.tenant AND xid = ANY (ARRAY(SELECT pg_snapshot_xip(reader.seen))))
       UNION ALL
       (SELECT job_id, xid, true FROM job_event
         WHERE tenant = reader.tenant AND xid >= pg_snapshot_xmax(reader.seen)
         ORDER BY xid
         FETCH FIRST ${changesAtOnce} ROWS WITH TIES)
     ) change ON true
    ORDER BY place, change.xid`,
);

/** For a reader to whom only what comes from now on is news. */
export async function readNow(database: Database): Promise<ChangeCursor> {
  const [row] = await nowStatement.run(database);
  return ChangeCursor.parse(row!.snapshot)!;
}

/** One statement, and so one snapshot, for all readers. @returns what each of them has not seen */
export async function readChanges(database: Database, readers: readonly ChangeReader[]): Promise<Changes[]> {
  const rows = await changesStatement.run(
    database,
    readers.map(({ tenant }) => tenant),
    readers.map(({ cursor }) => cursor.toString()),
  );
  const now = ChangeCursor.parse(rows[0]!.snapshot)!;
  const seen: { jobId: string; xid: bigint; isLater: boolean }[][] = readers.map(() => []);
  for (const { place, jobId, xid, isLater } of rows) {
    if (jobId !== null) seen[place - 1]!.push({ jobId, xid: BigInt(xid!), isLater: isLater! });
  }
  return seen.map((changes) => {
    const isAll = changes.filter(({ isLater }) => isLater).length < changesAtOnce;
    const lastOf = new Map(changes.map(({ jobId }, index) => [jobId, index]));
    const after = (index: number): ChangeCursor => {
      const next = changes[index + 1];
      if (next) return now.below(next.xid);
      return isAll ? now : now.below(changes[index]!.xid + 1n);
    };
    return {
      jobs: changes.flatMap(({ jobId }, index) =>
        lastOf.get(jobId) === index ? [{ id: jobId, cursor: after(index) }] : [],
      ),
      cursor: changes.length === 0 ? now : after(changes.length - 1),
      isAll,
    };
  });
}
