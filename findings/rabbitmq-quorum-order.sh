#!/usr/bin/env bash
# RabbitMQ 3.10.8, quorum queues: whether a returned message goes to the front or to the end of its queue depends on
# `x-delivery-limit`, an argument that is about something else.
#
# Versions: rabbitmq-server 3.10.8 (Debian 12), amqplib 0.10.9. Seen on 2026-11-29.
# Six messages 0 to 5 are in the queue and a consumer with prefetch 3 holds 0, 1 and 2:
#   the consumer does                 without a limit   x-delivery-limit 20   classic queue
#   nack all three with requeue       3,4,5,0,1,2       0,1,2,3,4,5           0,1,2,3,4,5
#   basic.recover                     3,4,5,0,1,2       0,1,2,3,4,5           0,1,2,3,4,5
#   close its channel                 0,1,2,3,4,5       0,1,2,3,4,5           0,1,2,3,4,5
# So a limit that is removed (or one that a policy adds) changes the order in which messages are tried again, and a
# worker that hands its messages back one by one gets another order than one that closes its channel. A retry by nack
# on a queue without a limit waits behind the whole backlog.
#
# Needs rabbitmq-server 3.10.8, Node 20 or later, npm. Exits 1 when any of these changes.
set -euo pipefail
server=/usr/lib/rabbitmq/bin/rabbitmq-server
[ -x "$server" ] || { echo 'rabbitmq-server is missing (Debian: apt-get install rabbitmq-server)' >&2; exit 1; }
folder=$(mktemp -d)
cd "$folder"
npm init -y >/dev/null
npm install --loglevel=error --no-audit --no-fund --ignore-scripts amqplib@0.10.9
port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }
export HOME=$folder ERL_EPMD_PORT=$(port) RABBITMQ_NODENAME=finding@localhost RABBITMQ_NODE_PORT=$(port) \
  RABBITMQ_DIST_PORT=$(port) RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_MNESIA_BASE=$folder/mnesia \
  RABBITMQ_LOG_BASE=$folder/log RABBITMQ_PID_FILE=$folder/pid RABBITMQ_ENABLED_PLUGINS_FILE=$folder/plugins \
  RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf RABBITMQ_CONF_ENV_FILE=$folder/rabbitmq-env.conf RUNNING_UNDER_SYSTEMD=true
touch "$RABBITMQ_CONFIG_FILE"
echo '[].' >"$RABBITMQ_ENABLED_PLUGINS_FILE"
epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 >/dev/null 2>&1 & epmd=$!
"$server" >"$folder/out" 2>&1 & rabbitmq=$!
trap 'kill $rabbitmq 2>/dev/null; wait $rabbitmq 2>/dev/null; kill $epmd 2>/dev/null; rm -rf "$folder"' EXIT

cat >finding.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';

async function connected() {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      return await connect(`amqp://guest:guest@127.0.0.1:${process.env.RABBITMQ_NODE_PORT}`);
    } catch {
      await sleep(300);
    }
  }
  throw new Error('RabbitMQ did not start within 30 s');
}
async function until(condition) {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await condition()) return;
    await sleep(100);
  }
  throw new Error(`It did not happen within 10 s: ${condition}`);
}

const connection = await connected();
const { version } = connection.connection.serverProperties;
if (version !== '3.10.8') throw new Error(`This was seen on RabbitMQ 3.10.8; this one is ${version}.`);

const queues = {
  'without a limit': { 'x-queue-type': 'quorum' },
  'x-delivery-limit 20': { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 },
  'classic queue': { 'x-queue-type': 'classic' },
};
const ways = {
  'nack all': [(channel, held) => held.forEach((message) => channel.nack(message, false, true)), ['3,4,5,0,1,2', '0,1,2,3,4,5', '0,1,2,3,4,5']],
  'basic.recover': [(channel) => channel.recover(), ['3,4,5,0,1,2', '0,1,2,3,4,5', '0,1,2,3,4,5']],
  'close the channel': [(channel) => channel.close(), ['0,1,2,3,4,5', '0,1,2,3,4,5', '0,1,2,3,4,5']],
};
let changed = 0;
for (const [way, [giveBack, expected]] of Object.entries(ways)) {
  for (const [index, [kind, args]] of Object.entries(queues).entries()) {
    const queue = `${way} ${kind}`;
    const watching = await connection.createConfirmChannel();
    await watching.assertQueue(queue, { durable: true, arguments: args });
    for (let n = 0; n < 6; n += 1) watching.sendToQueue(queue, Buffer.from(String(n)));
    await watching.waitForConfirms();
    const channel = await connection.createChannel();
    await channel.prefetch(3);
    const held = [];
    const { consumerTag } = await channel.consume(queue, (message) => message && held.push(message));
    await until(async () => held.length === 3);
    await channel.cancel(consumerTag);
    await giveBack(channel, held);
    await until(async () => (await watching.checkQueue(queue)).messageCount === 6);
    const order = [];
    for (let message; (message = await watching.get(queue, { noAck: true })); ) order.push(message.content.toString());
    const isSame = order.join() === expected[index];
    if (!isSame) changed += 1;
    console.log(`${isSame ? 'as seen' : 'CHANGED'}  ${way.padEnd(18)} ${kind.padEnd(20)} ${order.join()}`);
  }
}
await connection.close();
process.exit(changed === 0 ? 0 : 1);
JS
node finding.mjs || { tail -5 "$folder/out" >&2; exit 1; }
