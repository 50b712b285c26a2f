import { moment } from './moment';
import { cell, pool, runPlain } from './plain-process';

/** Publishes after the commit: first the order is in the database, then its job goes to the queue. */
runPlain(async (client) => {
  await client.outstanding(cell); // Connects before the first order arrives.
  process.on('message', (n: number) => {
    void (async () => {
      await pool.query('INSERT INTO plain_order (cell, n) VALUES ($1, $2)', [cell, n]);
      moment();
      await client.publish(cell, [n]);
      process.send!({ accepted: n });
    })();
  });
});
