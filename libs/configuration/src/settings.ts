import { Cron } from 'croner';
import { z } from 'zod';
import { requestableBrokers } from '@app/contracts';
import { apiKeys } from './api-keys';

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const port = whole(1, 65_535);
/** At most the longest time for a timer of Node. */
const milliseconds = whole(1, 2 ** 31 - 1);
const count = whole(1, 100_000);
const dayMs = 24 * 3_600 * 1_000;
/** Milliseconds; undefined for never. */
const days = z.union(
  [z.literal('never').transform(() => undefined), whole(1, 36_500).transform((number) => number * dayMs)],
  'expected a number of days, 1 to 36500, or never',
);
const matching = (pattern: RegExp, expected?: string) => z.string().regex(pattern, expected);
const secret = z.string().min(32, 'expected at least 32 characters');
const url = (...schemes: string[]) =>
  z.url({
    protocol: new RegExp(`^(${schemes.join('|')})$`),
    error: `expected a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  });
const webUrl = url('http', 'https').optional();
const postgresUrl = url('postgres', 'postgresql');

type RequestableBroker = (typeof requestableBrokers)[number];

const queueAtBroker = `[a-z][a-z0-9-]*=(${requestableBrokers.join('|')})`;

/** The moments at which a crash test lets a process kill itself; each is a signal of the core. */
export const failPoints = ['accepted', 'confirmed', 'received', 'handled', 'settled', 'draining'] as const;

/**
 * All environment variables of all processes: their meaning, form and default. An app takes those that it needs with
 * `readSettings`. A test checks `.env.example` against this list.
 */
export const settings = {
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('in production, a process that reads API_KEYS or SIGNING_SECRET does not start without it'),
  PORT: port.default(3000).describe('where the API listens'),
  HOST: z.string().default('127.0.0.1').describe('the address of PORT and HEALTH_PORT; 0.0.0.0 in a container'),
  HEALTH_PORT: port
    .optional()
    .describe(
      'where a process serves /health/live, /health/started, /health/ready and /metrics, without a key; npm start gives the relay this port and each worker the next one',
    ),
  PUBLIC_URL: webUrl.describe('how callers reach the API; default http://localhost:PORT'),
  TRUST_PROXY: z
    .union(
      [z.literal('false').transform(() => false as const), whole(1, 10)],
      'expected the number of proxies in front, 1 to 10, or false',
    )
    .default(false)
    .describe('how many proxies in front of the API are trusted; their X-Forwarded-* headers are used'),
  API_KEYS: apiKeys
    .optional()
    .describe('key:tenant:role[+role],… with the roles user, viewer, operator, admin; required in production'),
  SIGNING_SECRET: secret
    .optional()
    .describe('signs sessions and links to files; the same in every API process; required in production'),
  THROTTLE_PER_SECOND: count.default(1_000).describe('requests of one tenant that one API process takes in a second'),
  STREAMS_PER_PROCESS: count.default(5_000).describe('event streams that one API process keeps open'),
  STREAMS_PER_TENANT: count.default(1_000).describe('event streams of one tenant that one API process keeps open'),
  STREAM_HEARTBEAT_MS: milliseconds.default(15_000).describe('how often a silent event stream says that it is alive'),
  STREAM_STALL_MS: milliseconds
    .default(30_000)
    .describe('how long a client may not read its event stream before the stream is closed'),
  DATABASE_URL: postgresUrl.describe(
    'PostgreSQL 14 or later; without it npm start runs an embedded one, except in production',
  ),
  DATABASE_DIRECT_URL: postgresUrl
    .optional()
    .describe(
      'the same database without the pooler, for LISTEN, migrations and BullMQ on PostgreSQL; default DATABASE_URL',
    ),
  DATABASE_APP_URL: postgresUrl
    .optional()
    .describe(
      'read by npm run migrate, which creates this user with the rights that apps need; for the DATABASE_URL of the apps',
    ),
  DATA_DIR: z.string().optional().describe('where npm start keeps the embedded PostgreSQL; default .data'),
  REDIS_URL: url('redis', 'rediss')
    .optional()
    .describe('BullMQ on Redis (maxmemory-policy noeviction); without it BullMQ runs on PostgreSQL'),
  BULLMQ_PREFIX: matching(/^[\w-]+$/)
    .default('bull')
    .describe('prefix of every key; separates two systems on one Redis'),
  RABBITMQ_URL: url('amqp', 'amqps').optional().describe('RabbitMQ 3.10 or later; without it RabbitMQ is not used'),
  KAFKA_BROKERS: matching(/^[^\s:,]+:\d{1,5}(,[^\s:,]+:\d{1,5})*$/, 'expected host:port pairs such as "localhost:9092"')
    .transform((text) => text.split(','))
    .optional()
    .describe('Kafka 3.0 or later; without it Kafka is not used'),
  KAFKA_USERNAME: z
    .string()
    .optional()
    .describe('the user name at Kafka, with KAFKA_PASSWORD; without it this system does not log in'),
  KAFKA_PASSWORD: z.string().optional(),
  KAFKA_SASL: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .default('plain')
    .describe('the SASL mechanism of KAFKA_USERNAME and KAFKA_PASSWORD'),
  KAFKA_SSL: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('whether connections to Kafka use TLS; NODE_EXTRA_CA_CERTS names a CA of your own'),
  BROKER_PREFIX: matching(/^[\w.-]{0,60}$/, 'expected at most 60 letters, digits, dots, dashes and underscores')
    .default('')
    .describe('prefix of every queue, exchange, topic and group; separates two systems on one RabbitMQ or Kafka'),
  JOB_BROKERS: matching(
    new RegExp(`^${queueAtBroker}(,${queueAtBroker})*$`),
    'expected queue=broker pairs such as "image=bullmq,sync=kafka"',
  )
    .transform((text) => new Map(text.split(',').map((pair) => pair.split('=') as [string, RequestableBroker])))
    .optional()
    .describe('moves the jobs of a queue to another broker than their definitions name'),
  SMTP_URL: url('smtp', 'smtps').optional().describe('the SMTP server; without it, emails go to GET /dev/mailbox'),
  SMTP_FROM: z.email().default('no-reply@example.com').describe('the sender of every email'),
  SMS_URL: webUrl.describe('the SMS provider; without it, SMS go to GET /dev/mailbox'),
  SMS_TOKEN: z.string().optional().describe('sent to the SMS provider as a Bearer token'),
  WEBHOOK_ALLOW_HOSTS: matching(/^[^\s,/]+(,[^\s,/]+)*$/, 'expected hosts such as "localhost,127.0.0.1"')
    .transform((text) => text.split(','))
    .optional()
    .describe(
      'webhooks may go to these hosts even at private addresses, for development and tests; refused in production',
    ),
  WEBHOOK_RECEIVER_URL: webUrl.describe(
    'where the webhook-worker reaches /dev/webhook-receiver of the API; default PUBLIC_URL with that path',
  ),
  WEBHOOK_SECRETS_KEY: secret
    .optional()
    .describe(
      'encrypts the secrets of webhooks; default SIGNING_SECRET. Before you change SIGNING_SECRET, set this to the old value',
    ),
  DIGEST_TO: z.email().default('operations@example.com').describe('the recipient of the digest of the jobs'),
  DIGEST_CRON: z
    .string()
    .refine(isCron, 'expected a cron expression such as "0 7 * * *" that has a next tick')
    .default('0 7 * * *')
    .describe('when the digest is sent: five or six fields'),
  DIGEST_ZONE: z
    .string()
    .refine(isZone, 'expected an IANA zone such as Europe/Berlin')
    .default('UTC')
    .describe('the time zone of DIGEST_CRON'),
  SYNC_REPLAY: matching(/^[a-z][a-z0-9-]*@\d+$/, 'expected a name that is new, with a number, such as "search@2"')
    .optional()
    .describe(
      'makes a sync-worker a replay: under this name it consumes all product changes from the first one, on Kafka',
    ),
  STORAGE_DIR: z
    .string()
    .optional()
    .describe('the folder of the files; default files in DATA_DIR; not used with S3_BUCKET'),
  S3_ENDPOINT: webUrl.describe('the address of an S3 server; without it Amazon S3 in the region'),
  S3_REGION: z.string().default('us-east-1').describe('the region of the bucket'),
  S3_BUCKET: matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'expected the name of a bucket')
    .optional()
    .describe('files go into this bucket instead of a folder'),
  S3_ACCESS_KEY_ID: z.string().optional().describe('the access key with which this system reads and writes the bucket'),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['json', 'pretty']).default('json').describe('pretty is for people, json for log collectors'),
  OTEL_EXPORTER_OTLP_ENDPOINT: webUrl.describe(
    'where spans go, by OTLP over HTTP, such as http://localhost:4318; without it, nothing is traced',
  ),
  OTEL_TRACES_SAMPLER: z
    .enum([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ])
    .optional()
    .describe('which requests are traced; default parentbased_always_on: all of them, unless their caller says no'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('the part of the requests that a sampler with traceidratio traces: 0.01 is one in a hundred'),
  LEASE_MS: milliseconds
    .default(15_000)
    .describe('how long a worker may send no heartbeat before its jobs go to another worker'),
  HEARTBEAT_MS: milliseconds.default(1_000).describe('how often a worker renews its leases; well below LEASE_MS'),
  SWEEP_MS: milliseconds
    .default(1_000)
    .describe(
      'how often the relay looks for what is due: expired leases, schedules, redrives, and jobs of resumed queues',
    ),
  RECONCILE_MS: milliseconds.default(15_000).describe('how often the relay asks brokers for the depth of their queues'),
  FORGOTTEN_AFTER_MS: milliseconds
    .default(60_000)
    .describe('a job that a broker lost is dispatched again when it has waited this long'),
  RETENTION_ENDED_DAYS: days
    .default(30 * dayMs)
    .describe(
      'after how many days a completed or cancelled job is deleted, with its updates and its idempotency key; or never',
    ),
  RETENTION_FAILED_DAYS: days
    .default(90 * dayMs)
    .describe(
      'after how many days a failed job and its dead letter are deleted, and a message that could not be read; or never',
    ),
  RETENTION_DEDUPE_DAYS: days
    .default(30 * dayMs)
    .describe(
      'for how many days an event that was handled is recognised; longer than any broker can deliver it again; or never',
    ),
  RETENTION_AUDIT_DAYS: days
    .default(365 * dayMs)
    .describe('for how many days the record of what operators did is kept; or never'),
  SHUTDOWN_GRACE_MS: milliseconds.default(30_000).describe('how long a drain may take; at least 6000 to be useful'),
  FAIL_POINT: z
    .templateLiteral([z.enum(failPoints), ':', z.int().min(1)])
    .transform((text) => {
      const [at, nth] = text.split(':');
      return { at: at as (typeof failPoints)[number], nth: Number(nth) };
    })
    .optional()
    .describe('for crash tests: the process kills itself at the nth of these events; refused in production'),
} as const;

/** Never printed in a message. Neither is a URL with a password or a query; see readSettings. */
export const secretSettings: ReadonlySet<string> = new Set<keyof typeof settings>([
  'API_KEYS',
  'SIGNING_SECRET',
  'KAFKA_PASSWORD',
  'SMS_TOKEN',
  'WEBHOOK_SECRETS_KEY',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
]);

/** The value of every password in compose.development.env, by which a process recognises a password that is not set. */
export const developmentPassword = 'development-only';

/** Settings without a default in production: a process that reads one of them does not start without it. */
export const requiredInProduction = ['API_KEYS', 'SIGNING_SECRET'] as const satisfies (keyof typeof settings)[];

export type Settings = { [Name in keyof typeof settings]: z.output<(typeof settings)[Name]> };

function isCron(text: string): boolean {
  try {
    return new Cron(text, { paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}

function isZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

/** The settings that every process reads. */
export const processSettingNames = [
  'HOST',
  'HEALTH_PORT',
  'SHUTDOWN_GRACE_MS',
  'LOG_LEVEL',
  'LOG_FORMAT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'FAIL_POINT',
] as const;

/** The settings that a process needs to reach the brokers. */
export const brokerSettingNames = [
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'REDIS_URL',
  'BULLMQ_PREFIX',
  'RABBITMQ_URL',
  'KAFKA_BROKERS',
  'KAFKA_USERNAME',
  'KAFKA_PASSWORD',
  'KAFKA_SASL',
  'KAFKA_SSL',
  'BROKER_PREFIX',
  'LEASE_MS',
  'JOB_BROKERS',
] as const;

/** The settings that every worker reads. */
export const workerSettingNames = [...brokerSettingNames, ...processSettingNames, 'HEARTBEAT_MS'] as const;
