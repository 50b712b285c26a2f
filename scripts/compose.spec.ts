import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { developmentPassword, secretSettings, settings } from '@app/configuration';
import { parse } from 'yaml';
import { readApps, type App } from './start/apps';

interface Service {
  readonly image: string;
  readonly profiles: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period: string;
}

const projectFolder = join(__dirname, '..');

/**
 * Settings that docker-compose.yml does not pass: crash tests set FAIL_POINT, the image sets HOST, STORAGE_DIR
 * replaces DATA_DIR, and there is no pooler in front of the database.
 */
const notFromCompose = new Set(['FAIL_POINT', 'HOST', 'DATA_DIR', 'DATABASE_DIRECT_URL']);

const passwordNames = [
  'POSTGRES_PASSWORD',
  'POSTGRES_APP_PASSWORD',
  'REDIS_PASSWORD',
  'RABBITMQ_PASSWORD',
  'KAFKA_PASSWORD',
];

describe('docker-compose.yml', () => {
  const { services } = parse(readFileSync(join(projectFolder, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    services: Record<string, Service>;
  };
  const apps = readApps(projectFolder);

  it.each(apps)('runs $name', ({ name, script }) => {
    expect(services[name]).toMatchObject({
      profiles: ['apps'],
      command: ['node', relative(projectFolder, script).replaceAll('\\', '/')],
    });
  });

  it.each(apps)('passes to $name the settings that it reads, and no other secret', async (app) => {
    const read = await settingsReadBy(app);
    const passed = Object.keys(services[app.name]?.environment ?? {});
    expect(passed).toEqual(expect.arrayContaining(read.filter((name) => !notFromCompose.has(name))));
    expect(passed.filter((name) => !(name in settings))).toEqual([]);
    expect(passed.filter((name) => secretSettings.has(name) && !read.includes(name))).toEqual([]);
  });

  it('gives each app enough time to drain', () => {
    const hangMs = 10_000; // See run-process.ts.
    for (const { name } of apps) {
      const [, seconds] = /^(\d+)s$/.exec(services[name]!.stop_grace_period)!;
      expect(Number(seconds) * 1_000).toBeGreaterThan(settings.SHUTDOWN_GRACE_MS.parse(undefined) + hangMs);
    }
  });

  it('contains no password and has no default for one', () => {
    const text = readFileSync(join(projectFolder, 'docker-compose.yml'), 'utf8');
    const development = readFileSync(join(projectFolder, 'compose.development.env'), 'utf8');
    const passwords = [...development.matchAll(/^([A-Z_]+)=(.*)$/gm)];
    expect(passwords.map(([, name]) => name)).toEqual(passwordNames);
    for (const [, name, value] of passwords) {
      expect(value).toBe(developmentPassword);
      const uses = [...text.matchAll(new RegExp(`\\$\\{${name!}([^}]*)\\}`, 'g'))].map(([, rest]) => rest);
      expect([name, uses.length > 0, uses.filter((rest) => !rest!.startsWith(':?'))]).toEqual([name, true, []]);
    }
    const named = [...text.matchAll(/\$\{([A-Z_]*PASSWORD[A-Z_]*)/g)].map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual(passwords.map(([, name]) => name).sort());
    expect(text).not.toContain(developmentPassword);
  });

  it('makes every server require a name or a password', () => {
    expect(services['redis']!.command!.join(' ')).toMatch(/^redis-server .* --requirepass \$\{REDIS_PASSWORD:/);
    const { KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: protocols, KAFKA_LISTENERS: listeners } = services['kafka']!
      .environment as Record<string, string>;
    const protocolOf = new Map(protocols!.split(',').map((pair) => pair.split(':') as [string, string]));
    for (const listener of listeners!.split(',')) {
      const [, name, host] = /^(\w+):\/\/(\w*):/.exec(listener)!;
      if (host !== 'localhost') expect([name, protocolOf.get(name!)]).toEqual([name, 'SASL_PLAINTEXT']);
    }
    for (const { name } of apps) {
      const { DATABASE_URL, RABBITMQ_URL, REDIS_URL, KAFKA_PASSWORD } = services[name]!.environment as Record<
        string,
        string
      >;
      expect(DATABASE_URL).toMatch(/^postgres:\/\/queue_app:\$\{POSTGRES_APP_PASSWORD:/);
      expect(RABBITMQ_URL).toMatch(/^amqp:\/\/queue:.*\/queue$/);
      expect(REDIS_URL).toMatch(/^redis:\/\/:\$\{REDIS_PASSWORD:/);
      expect(KAFKA_PASSWORD).toMatch(/^\$\{KAFKA_PASSWORD:/);
    }
  });

  it('gives Grafana no user, and so no password', () => {
    expect(services['grafana']!.environment).toMatchObject({
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_AUTH_BASIC_ENABLED: 'false',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
    });
  });

  // Docker makes an empty folder of a path that does not exist.
  it('mounts only files and folders that exist', () => {
    const mounted = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes)
      .flatMap((volume) => /^(\.\/[^:]+):/.exec(volume)?.[1] ?? []);
    expect(mounted.length).toBeGreaterThan(0);
    expect(mounted.filter((path) => !existsSync(join(projectFolder, path)))).toEqual([]);
  });

  it('opens no port to other machines', () => {
    const open = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(open.length).toBeGreaterThan(0);
    expect(open.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('pins the version of every third-party image', () => {
    const images = new Set(Object.values(services).map(({ image }) => image));
    images.delete('node-message-queue');
    expect([...images].filter((image) => !/:v?\d+\.\d+\.\d+|^postgres:\d+\.\d+/.test(image))).toEqual([]);
  });
});

/**
 * Every app reads its variables with the functions of its config.ts. The names that these functions request are the
 * settings of the app.
 */
async function settingsReadBy({ name }: App): Promise<string[]> {
  const asked = new Set<string>();
  const config = (await import(join(projectFolder, 'apps', name, 'src/config'))) as Record<string, unknown>;
  const declared = config['settingNames'] as string[];
  const environment = process.env;
  process.env = new Proxy({}, { get: (_, variable) => void asked.add(String(variable)) });
  try {
    const readers = Object.values(config).filter((value) => typeof value === 'function');
    for (const read of readers) expect(read).toThrow('The configuration cannot be used');
  } finally {
    process.env = environment;
  }
  const read = [...asked].filter((variable) => variable in settings);
  // `npm start` passes the declared names. The rules for production read NODE_ENV, which every process has.
  expect(new Set([...declared, 'NODE_ENV'])).toEqual(new Set([...read, 'NODE_ENV']));
  return read;
}
