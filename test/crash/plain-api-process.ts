import { moment } from './moment';
import { cell, pool, runPlain } from './plain-process';

/** Publish after commit: the order is in the database, and then its job goes to the queue. */
runPlain(async (client) => {
  await client.outstanding(cell); // Connected, before the first order comes.
  process.on('message', (n: number) => {
    void (async () => {
      await pool.query('INSERT INTO plain_order (cell, n) VALUES ($1, $2)', [cell, n]);
      moment();
      await client.publish(cell, [n]);
      process.send!({ accepted: n });
    })();
  });
});
