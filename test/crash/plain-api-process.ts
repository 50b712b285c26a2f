import { cell, connectPlain } from './plain-connection';
import { moment } from './moment';

/** Publish after commit: the order is in the database, and then its job goes to the queue. */
const { pool, queues, QueueClass } = connectPlain();
const queue = new QueueClass(cell, queues);

process.on('message', (n: number) => {
  void (async () => {
    await pool.query('INSERT INTO plain_order (cell, n) VALUES ($1, $2)', [cell, n]);
    moment();
    await queue.add('email', { n });
    process.send!({ accepted: n });
  })();
});

void queue.waitUntilReady().then(() => process.send!('ready'));
process.on('SIGTERM', () => process.exit(0));
