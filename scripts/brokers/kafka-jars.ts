import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { BrokerNotInstalled } from './broker';

export const kafkaVersion = '4.3.1';

const jarsFolder = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'node-message-queue',
  `kafka-${kafkaVersion}`,
);

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>node-message-queue</groupId>
  <artifactId>kafka</artifactId>
  <version>0</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${kafkaVersion}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

export function hasJars(): boolean {
  return existsSync(jarsFolder);
}

/**
 * Downloads Kafka and its dependencies from Maven Central, once per user and version. They are downloaded beside their
 * final place and then moved: a folder in that place is complete.
 * @throws BrokerNotInstalled
 */
export async function fetchJars(): Promise<string> {
  if (hasJars()) return jarsFolder;
  mkdirSync(dirname(jarsFolder), { recursive: true });
  const unfinished = mkdtempSync(`${jarsFolder}-unfinished-`);
  try {
    process.stderr.write(`Fetching Kafka ${kafkaVersion} from Maven Central, once…\n`);
    writeFileSync(join(unfinished, 'pom.xml'), pom);
    const args = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`];
    await promisify(execFile)('mvn', ['-q', '-B', ...args], { cwd: unfinished, maxBuffer: Infinity }).catch(notFetched);
    moveIntoPlace(unfinished);
    return jarsFolder;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** @param error of `execFile`; its message contains what Maven has written to stderr */
function notFetched(error: unknown): never {
  const { stdout = '', message } = error as Error & { stdout?: string };
  const why = /\[ERROR\] (.+)/.exec(`${stdout}\n${message}`)?.[1] ?? message.trim();
  throw new BrokerNotInstalled(`Maven could not fetch it (${why}); correct that, or set KAFKA_BROKERS.`);
}

function moveIntoPlace(unfinished: string): void {
  try {
    renameSync(unfinished, jarsFolder);
  } catch (error) {
    if (!hasJars()) throw error; // Otherwise another process was faster.
  }
}
