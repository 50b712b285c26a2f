#!/usr/bin/env bash
# Kafka: `min.insync.replicas` above the number of replicas of a topic is capped in silence.
#
# Versions: Apache Kafka 3.9.1 and 4.3.1 (Maven Central, kafka_2.13), kafkajs 2.2.4, Java 17. Seen on 2026-11-30.
# A new cluster of one node, a topic with replication factor 1, min.insync.replicas=2, one record with acks=-1:
#   3.9.1   confirmed, and `describeConfigs` says min.insync.replicas=2
#   4.3.1   the same
# The documentation promises an error to the producer when the minimum cannot be met. With fewer replicas than the minimum
# there is none, so a topic that was created with too few is not found by its first write: compare the two numbers.
#
# Needs Java 17 or later, Maven, Node 20 or later, npm. Exits 1 when any of these changes.
set -euo pipefail
command -v java >/dev/null && command -v mvn >/dev/null || { echo 'Java or Maven is missing (Debian: apt-get install default-jre-headless maven)' >&2; exit 1; }
folder=$(mktemp -d)
server=
trap 'kill -9 $server 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --loglevel=error --no-audit --no-fund --ignore-scripts kafkajs@2.2.4
port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

cat >finding.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';

const retry = { retries: 0 };
const client = new kafkajs.Kafka({ brokers: [process.argv[2]], logLevel: 0, retry });
const admin = client.admin();
for (let tries = 0; ; tries += 1) {
  try {
    await admin.connect();
    await admin.listTopics();
    break;
  } catch (error) {
    if (tries === 120) throw error;
    await sleep(500);
  }
}
const configEntries = [{ name: 'min.insync.replicas', value: '2' }];
await admin.createTopics({ topics: [{ topic: 't', numPartitions: 1, replicationFactor: 1, configEntries }], waitForLeaders: false });
await sleep(2_000);
const { resources } = await admin.describeConfigs({ resources: [{ type: 2, name: 't', configNames: ['min.insync.replicas'] }] });
const asked = resources[0].configEntries[0].configValue;
const producer = client.producer({ retry, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
await producer.connect();
const answer = await producer.send({ topic: 't', acks: -1, messages: [{ value: '1' }] }).then(
  () => 'confirmed',
  (error) => `refused: ${error.type ?? error.cause?.type}`,
);
console.log(`min.insync.replicas=${asked}, ${answer}`);
await producer.disconnect();
await admin.disconnect();
JS

# Starts that version on a free port, and prints what the program sees.
ask() {
  local version=$1 home=$folder/$1 listen controller
  listen=$(port) controller=$(port)
  mkdir -p "$home"
  cat >"$home/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>kafka</artifactId><version>0</version><packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
</dependencies></project>
XML
  (cd "$home" && mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$home/jars") >&2
  cat >"$home/server.properties" <<PROPERTIES
node.id=1
process.roles=broker,controller
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$listen,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$listen
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$home/data
offsets.topic.replication.factor=1
PROPERTIES
  java -cp "$home/jars/*" kafka.tools.StorageTool format --cluster-id=MkU3OEVBNTcwNTJENDM2Qk -c "$home/server.properties" >/dev/null 2>&1
  java -Xmx384m -cp "$home/jars/*" kafka.Kafka "$home/server.properties" >"$home/out" 2>&1 & server=$!
  node finding.mjs "127.0.0.1:$listen" >"$home/seen"
  kill -9 $server
  wait $server 2>/dev/null || true
  echo "$version: $(cat "$home/seen")"
}

{ ask 3.9.1; ask 4.3.1; } >seen
cat seen
diff seen - <<'SEEN'
3.9.1: min.insync.replicas=2, confirmed
4.3.1: min.insync.replicas=2, confirmed
SEEN
