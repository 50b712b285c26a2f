/**
 * A state machine in the database: a conditional UPDATE refuses a late or a repeated transition.
 *
 * Messages arrive twice, late and in the wrong order. A consumer that writes the state of the message into the row
 * obeys the last message that arrives, whatever it is. The state of the row is a better guard: an UPDATE with
 * `AND state = ANY(…)` moves the row only from a state that allows it, and its effect is part of the same statement.
 * No row is updated in two cases, which need two answers:
 * - The order is already beyond the state: a copy, or a late message. Drop it, that is: acknowledge it.
 * - The order is not yet so far: a message that overtook another one. Try it later, do not acknowledge it.
 * An array stands for the broker here: the deliveries and their order are what counts.
 *
 * Needs: postgres
 * Expect:
 *   last write wins: the order is cancelled, 3 parcels
 *   shipped: later, the order is created
 *   paid: done
 *   shipped: done
 *   paid: dropped, the order is shipped
 *   shipped: dropped, the order is shipped
 *   cancelled: dropped, the order is shipped
 *   conditional update: the order is shipped, 1 parcel
 *   two copies at the same moment: 1 done, 1 dropped, 1 parcel
 */
import assert from 'node:assert/strict';
import { Pool } from 'pg';

type State = 'created' | 'paid' | 'shipped' | 'cancelled';
type Answer = 'done' | 'dropped' | 'later';

/** To which states an order may move from each state. */
const next: Record<State, readonly State[]> = {
  created: ['paid', 'cancelled'],
  paid: ['shipped', 'cancelled'],
  shipped: [],
  cancelled: [],
};
const statesBefore = (to: State): State[] => (Object.keys(next) as State[]).filter((from) => next[from].includes(to));
const canStillReach = (from: State, to: State): boolean =>
  next[from].some((state) => state === to || canStillReach(state, to));

const pool = new Pool({ connectionString: process.env.DATABASE_URL });

async function lastWriteWins(order: string, state: State): Promise<void> {
  await pool.query('UPDATE shop_order SET state = $2 WHERE id = $1', [order, state]);
  if (state === 'shipped') await pool.query('INSERT INTO parcel (order_id) VALUES ($1)', [order]);
}

async function conditionalUpdate(order: string, to: State): Promise<{ answer: Answer; state: State }> {
  const { rowCount } = await pool.query(
    `WITH moved AS (
       UPDATE shop_order SET state = $2 WHERE id = $1 AND state = ANY($3) RETURNING id
     ), effect AS (
       INSERT INTO parcel (order_id) SELECT id FROM moved WHERE $2 = 'shipped'
     )
     SELECT FROM moved`,
    [order, to, statesBefore(to)],
  );
  if (rowCount === 1) return { answer: 'done', state: to };
  const state = await stateOf(order);
  return { answer: canStillReach(state, to) ? 'later' : 'dropped', state };
}

async function createOrder(id: string, state: State = 'created'): Promise<string> {
  await pool.query('INSERT INTO shop_order (id, state) VALUES ($1, $2)', [id, state]);
  return id;
}

async function stateOf(order: string): Promise<State> {
  return (await pool.query<{ state: State }>('SELECT state FROM shop_order WHERE id = $1', [order])).rows[0]!.state;
}

async function parcelsOf(order: string): Promise<number> {
  return (await pool.query('SELECT FROM parcel WHERE order_id = $1', [order])).rowCount!;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  await pool.query(`CREATE TABLE shop_order (id text PRIMARY KEY, state text NOT NULL);
    CREATE TABLE parcel (order_id text NOT NULL)`);
  /** "shipped" overtakes "paid"; then both come again; then a cancel comes too late. */
  const deliveries: State[] = ['shipped', 'paid', 'shipped', 'paid', 'shipped', 'cancelled'];

  const naive = await createOrder('naive');
  for (const state of deliveries) await lastWriteWins(naive, state);
  console.log(`last write wins: the order is ${await stateOf(naive)}, ${await parcelsOf(naive)} parcels`);
  assert.deepEqual([await stateOf(naive), await parcelsOf(naive)], ['cancelled', 3]);

  const guarded = await createOrder('guarded');
  const answers: Answer[] = [];
  for (const to of deliveries) {
    const { answer, state } = await conditionalUpdate(guarded, to);
    answers.push(answer);
    console.log(`${to}: ${answer}${answer === 'done' ? '' : `, the order is ${state}`}`);
  }
  console.log(`conditional update: the order is ${await stateOf(guarded)}, ${await parcelsOf(guarded)} parcel`);
  assert.deepEqual(answers, ['later', 'done', 'done', 'dropped', 'dropped', 'dropped']);
  assert.deepEqual([await stateOf(guarded), await parcelsOf(guarded)], ['shipped', 1]);

  // The second UPDATE waits for the lock on the row, and then checks its condition again.
  const raced = await createOrder('raced', 'paid');
  const both = await Promise.all([conditionalUpdate(raced, 'shipped'), conditionalUpdate(raced, 'shipped')]);
  const number = (wanted: Answer): number => both.filter(({ answer }) => answer === wanted).length;
  const parcels = await parcelsOf(raced);
  console.log(`two copies at the same moment: ${number('done')} done, ${number('dropped')} dropped, ${parcels} parcel`);
  assert.deepEqual([number('done'), number('dropped'), parcels], [1, 1, 1]);
  await pool.end();
}

void main();
