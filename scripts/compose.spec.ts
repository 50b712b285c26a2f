import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { secretSettings, settings } from '@app/configuration';
import { parse } from 'yaml';
import { readApps, type App } from './start/apps';

interface Service {
  readonly image: string;
  readonly profiles: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly stop_grace_period: string;
}

const projectFolder = join(__dirname, '..');

/**
 * Crash tests set the first, the image sets the second, and STORAGE_DIR stands in for the third. No pooler stands before
 * the database here.
 */
const notFromCompose = new Set(['FAIL_POINT', 'HOST', 'DATA_DIR', 'DATABASE_DIRECT_URL']);

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

  it.each(apps)('passes to $name what it reads, and no secret that it does not', async (app) => {
    const read = await settingsReadBy(app);
    const passed = Object.keys(services[app.name]?.environment ?? {});
    expect(passed).toEqual(expect.arrayContaining(read.filter((name) => !notFromCompose.has(name))));
    expect(passed.filter((name) => !(name in settings))).toEqual([]);
    expect(passed.filter((name) => secretSettings.has(name) && !read.includes(name))).toEqual([]);
  });

  it('gives an app the time to drain', () => {
    const hangMs = 10_000; // See run-process.ts.
    for (const { name } of apps) {
      const [, seconds] = /^(\d+)s$/.exec(services[name]!.stop_grace_period)!;
      expect(Number(seconds) * 1_000).toBeGreaterThan(settings.SHUTDOWN_GRACE_MS.parse(undefined) + hangMs);
    }
  });

  it('opens no port to other machines', () => {
    const open = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(open.length).toBeGreaterThan(0);
    expect(open.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('names the version of every image that is not ours', () => {
    const images = new Set(Object.values(services).map(({ image }) => image));
    images.delete('node-message-queue');
    expect([...images].filter((image) => !/:v?\d+\.\d+\.\d+|^postgres:\d+\.\d+/.test(image))).toEqual([]);
  });
});

/** Every app reads its variables with the functions of its config.ts; what they ask for is what it reads. */
async function settingsReadBy({ name }: App): Promise<string[]> {
  const asked = new Set<string>();
  const environment = process.env;
  process.env = new Proxy({}, { get: (_, variable) => void asked.add(String(variable)) });
  try {
    const config = (await import(join(projectFolder, 'apps', name, 'src/config'))) as Record<string, unknown>;
    const readers = Object.values(config).filter((value) => typeof value === 'function');
    for (const read of readers) expect(read).toThrow('The configuration cannot be used');
  } finally {
    process.env = environment;
  }
  return [...asked].filter((variable) => variable in settings);
}
