/** One protection taken away, and the test that has to notice. */
export interface Sabotage {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** What Jest is given to run, and a part of the name of the test that must fail. */
  readonly spec: string;
  readonly test: string;
}

const memory = 'test/conformance/memory.spec.ts';

export const sabotages: readonly Sabotage[] = [
  {
    name: 'ack before work',
    file: 'libs/messaging/src/bus.ts',
    find: 'const deliver = (delivery: Delivery): Promise<void> =>\n      this.track(',
    replace: 'const deliver = (delivery: Delivery): Promise<void> =>\n      void this.track(',
    spec: memory,
    test: 'says-what-it-holds',
  },
  {
    name: 'no slots: takes all there is',
    file: 'libs/messaging/src/slots.ts',
    find: 'if (this.free > 0) this.free -= 1;',
    replace: 'if (this.free > -1e9) this.free -= 1;',
    spec: 'libs/messaging/src/slots.spec.ts',
    test: 'lets so many in',
  },
  {
    name: 'publish outside the transaction',
    file: 'apps/relay/src/publish-loop.ts',
    find: 'const rows = await takeDue(client, this.driver.name, batchSize);',
    replace:
      "const rows = await takeDue(client, this.driver.name, batchSize); await removePublished(client, rows); await client.query('COMMIT'); await client.query('BEGIN');",
    spec: memory,
    test: 'keeps-what-the-broker-refused',
  },
  {
    name: 'dispatch check off',
    file: 'libs/persistence/src/ledger/claim.ts',
    find: "WHERE job.dispatch = wanted.dispatch AND job.state = 'queued'",
    replace: "WHERE job.state = 'queued'",
    spec: memory,
    test: 'drops-a-stale-dispatch',
  },
  {
    name: 'state check off: a duplicate runs',
    file: 'libs/persistence/src/ledger/claim.ts',
    find: "WHERE job.dispatch = wanted.dispatch AND job.state = 'queued'",
    replace: "WHERE job.dispatch = wanted.dispatch AND job.state IN ('queued', 'active')",
    spec: memory,
    test: 'runs-a-duplicate-publish-once',
  },
  {
    name: 'fence off at settle',
    file: 'libs/persistence/src/ledger/settle.ts',
    find: "WHERE job.dispatch = wanted.dispatch AND job.state = 'active'",
    replace: "WHERE job.state = 'active'",
    spec: memory,
    test: 'fences-a-frozen-worker',
  },
  {
    name: 'dedupe off: no row in the dedupe table',
    file: 'libs/persistence/src/ledger/settle.ts',
    find: "SELECT kind, id FROM settled WHERE state = 'completed'",
    replace: 'SELECT kind, id FROM settled WHERE false',
    spec: memory,
    test: 'delivers',
  },
  {
    name: 'dedupe off: an effect without its row and its fence',
    file: 'libs/persistence/src/ledger/complete-in-transaction.ts',
    find: 'if (completed.length !== 1) throw new Fenced(dispatch);',
    replace: '',
    spec: 'test/core/transaction.spec.ts',
    test: 'of two workers with one job',
  },
  {
    name: 'retry taken for a duplicate',
    file: 'libs/persistence/src/ledger/claim.ts',
    find: "WHERE job.dispatch = wanted.dispatch AND job.state = 'queued'",
    replace: "WHERE job.dispatch = wanted.dispatch AND job.state = 'queued' AND job.attempt = 0",
    spec: memory,
    test: 'retries-then-succeeds',
  },
  {
    name: 'lease never expires',
    file: 'libs/persistence/src/ledger/sweep.ts',
    find: "WHERE state = 'active' AND lease_until < now()",
    replace: "WHERE state = 'active' AND lease_until < now() - interval '1 year'",
    spec: memory,
    test: 'fences-a-frozen-worker',
  },
  {
    name: 'heartbeat off',
    file: 'libs/messaging/src/leases.ts',
    find: 'if (this.renewing || this.held.size === 0) return;',
    replace: 'return;',
    spec: memory,
    test: 'renews-its-lease',
  },
  {
    name: 'reconciler off',
    file: 'apps/relay/src/reconciler.ts',
    find: 'async check(): Promise<void> {',
    replace: 'async check(): Promise<void> { return;',
    spec: memory,
    test: 'brings-back-what-the-broker-forgot',
  },
  {
    name: 'no dead letter',
    file: 'libs/persistence/src/ledger/bury.ts',
    find: 'FROM ${jobs}`',
    replace: 'FROM ${jobs} AND false`',
    spec: memory,
    test: 'dead-letter-on-fail',
  },
  {
    name: 'order per key off',
    file: 'libs/persistence/src/outbox/take-due.ts',
    find: 'earlier.order_key = outbox.order_key AND',
    replace: 'false AND earlier.order_key = outbox.order_key AND',
    spec: memory,
    test: 'keeps-order-per-key',
  },
  {
    name: 'a parent waits for nobody',
    file: 'libs/persistence/src/ledger/tell-parents.ts',
    find: "WHEN open_children = completed THEN 'queued'",
    replace: "WHEN open_children > 0 THEN 'queued'",
    spec: memory,
    test: 'runs-a-parent-after-its-children',
  },
  {
    name: 'a cancel that is forgotten at the retry',
    file: 'libs/persistence/src/ledger/settle.ts',
    find: "CASE WHEN wanted.state = 'queued' AND job.cancel_requested THEN 'cancelled' ELSE wanted.state END AS state",
    replace: 'wanted.state AS state',
    spec: memory,
    test: 'cancels-while-it-runs',
  },
  {
    name: 'a foreign event is a new job each time',
    file: 'libs/messaging/src/pipeline/adopt.ts',
    find: 'const key = uuidv5(JSON.stringify([source, id]), adoptedKeys);',
    replace: 'const key = uuidv5(JSON.stringify([source, id, Math.random()]), adoptedKeys);',
    spec: memory,
    test: 'adopts-a-foreign-event',
  },
  {
    name: 'a hand-back that counts as an attempt',
    file: 'libs/messaging/src/pipeline/settle.ts',
    find: "case 'drain':\n        return { state: 'queued', delayMs: 0, attemptChange: -1",
    replace: "case 'drain':\n        return { state: 'queued', delayMs: 0, attemptChange: 0",
    spec: memory,
    test: 'drains-and-hands-back',
  },
];
