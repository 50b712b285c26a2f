import { statement, type Database } from '../statement';
import { ChangeCursor } from './change-cursor';

/**
 * How many changes one reader gets at a time. Beyond that it gets all changes of the last transaction, and those of all
 * transactions that were running at the snapshot of its cursor.
 */
export const changesAtOnce = 100;

export interface ChangeReader {
  readonly tenant: string;
  readonly cursor: ChangeCursor;
}

export interface Changes {
  /**
   * The jobs that have changed, each once, in the order of their last changes. Each has the cursor to continue from
   * after it.
   */
  readonly jobs: readonly { readonly id: string; readonly cursor: ChangeCursor }[];
  /** The cursor to continue from after all of them. */
  readonly cursor: ChangeCursor;
  /** Whether no further change was visible when this was read. */
  readonly isAll: boolean;
}

const nowStatement = statement<{ snapshot: string }>('changes_now').text(
  `SELECT pg_current_snapshot()::text AS snapshot`,
);

/**
 * Everything that is visible now and was not visible to the reader's snapshot: the writes of the transactions that were
 * running then, and of those that began later. Two index scans for each reader. A transaction that stays open for hours
 * makes neither scan longer. Rows of a dump from another server may have numbers that this server has not reached: until
 * then they are no changes.
 */
const changesStatement = statement<{
  place: number;
  jobId: string | null;
  xid: string | null;
  isLater: boolean | null;
  snapshot: string;
}>('changes').with(
  { tenants: 'text[]', seen: 'pg_snapshot[]' },
  (
    $,
  ) => `SELECT place::int, job_id AS "jobId", xid::text AS xid, is_later AS "isLater", pg_current_snapshot()::text AS snapshot
     FROM unnest(${$.tenants}, ${$.seen}) WITH ORDINALITY AS reader(tenant, seen, place)
     LEFT JOIN LATERAL (
       (SELECT job_id, xid, false AS is_later FROM job_update
         WHERE tenant = reader.tenant AND xid = ANY (ARRAY(SELECT pg_snapshot_xip(reader.seen))))
       UNION ALL
       (SELECT job_id, xid, true FROM job_update
         WHERE tenant = reader.tenant AND xid >= pg_snapshot_xmax(reader.seen)
           AND xid < pg_snapshot_xmax(pg_current_snapshot())
         ORDER BY xid
         FETCH FIRST ${changesAtOnce} ROWS WITH TIES)
     ) change ON true
    ORDER BY place, change.xid`,
);

/** @returns a cursor from which only later changes are read */
export async function readNow(database: Database): Promise<ChangeCursor> {
  const [row] = await nowStatement.run(database);
  return ChangeCursor.parse(row!.snapshot)!;
}

/**
 * Reads the changes for all readers in one statement, and so in one snapshot.
 * @returns for each reader, in the order of `readers`: its next changes, about `changesAtOnce` at most; `isAll` says
 *   whether these are all
 */
export async function readChanges(database: Database, readers: readonly ChangeReader[]): Promise<Changes[]> {
  const rows = await changesStatement.run(database, {
    tenants: readers.map(({ tenant }) => tenant),
    seen: readers.map(({ cursor }) => cursor.toString()),
  });
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
