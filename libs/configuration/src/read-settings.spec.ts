import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from './api-keys';
import { readSettings } from './read-settings';
import { settings } from './settings';

describe('readSettings', () => {
  it('treats an empty variable as unset', () => {
    expect(readSettings(['PORT', 'REDIS_URL'], { PORT: '', REDIS_URL: '' })).toEqual({
      PORT: 3000,
      REDIS_URL: undefined,
    });
  });

  it('reads only the requested variables, in their types', () => {
    expect(readSettings(['PORT'], { PORT: '8080', LEASE_MS: 'nonsense' })).toEqual({ PORT: 8080 });
  });

  it('names every fault at once, with the expected and the actual value', () => {
    const read = () => readSettings(['PORT', 'DATABASE_URL', 'LOG_LEVEL'], { PORT: '0', LOG_LEVEL: 'loud' });
    expect(read).toThrow('- PORT: ');
    expect(read).toThrow('got "0"');
    expect(read).toThrow('- DATABASE_URL: expected a URL that starts with postgres:// or postgresql://, got nothing');
    expect(read).toThrow('- LOG_LEVEL: ');
  });

  it.each(['DATABASE_URL', 'RABBITMQ_URL', 'KAFKA_PASSWORD'] as const)(
    'refuses in production the development password in %s, and does not show it',
    (name) => {
      const text =
        name === 'KAFKA_PASSWORD'
          ? 'development-only'
          : `${name === 'DATABASE_URL' ? 'postgres' : 'amqp'}://queue:development-only@host/queue`;
      const environment = { [name]: text, KAFKA_USERNAME: 'queue', KAFKA_PASSWORD: 'development-only' };
      const read = (NODE_ENV: string) => () => readSettings([name], { ...environment, NODE_ENV });
      if (name !== 'KAFKA_PASSWORD') expect(read('development')).not.toThrow();
      expect(read('production')).toThrow(`- ${name}: expected a password of your own in production`);
      expect(read('production')).not.toThrow(/development-only/);
    },
  );

  it('wants KAFKA_USERNAME and KAFKA_PASSWORD together', () => {
    const names = ['KAFKA_USERNAME', 'KAFKA_PASSWORD'] as const;
    expect(() => readSettings(names, { KAFKA_USERNAME: 'queue' })).toThrow('KAFKA_USERNAME and KAFKA_PASSWORD');
    expect(() => readSettings(names, { KAFKA_PASSWORD: 'x' })).toThrow('KAFKA_USERNAME and KAFKA_PASSWORD');
    expect(() => readSettings(names, { KAFKA_USERNAME: 'queue', KAFKA_PASSWORD: 'x' })).not.toThrow();
  });

  it('refuses FAIL_POINT in production', () => {
    const environment = { FAIL_POINT: 'handled:3' };
    expect(readSettings(['FAIL_POINT'], environment)).toEqual({ FAIL_POINT: { at: 'handled', nth: 3 } });
    expect(() => readSettings(['FAIL_POINT'], { ...environment, NODE_ENV: 'production' })).toThrow('FAIL_POINT: ');
  });

  it('refuses WEBHOOK_ALLOW_HOSTS in production', () => {
    const environment = { WEBHOOK_ALLOW_HOSTS: 'localhost,::1' };
    expect(readSettings(['WEBHOOK_ALLOW_HOSTS'], environment)).toEqual({ WEBHOOK_ALLOW_HOSTS: ['localhost', '::1'] });
    expect(() => readSettings(['WEBHOOK_ALLOW_HOSTS'], { ...environment, NODE_ENV: 'production' })).toThrow(
      'WEBHOOK_ALLOW_HOSTS: ',
    );
  });

  const key = 'k'.repeat(16);

  it('reads API keys and keeps only their digests', () => {
    const { API_KEYS } = readSettings(['API_KEYS'], { API_KEYS: `${key}:shop-1:user, ${key}2:ops:viewer+operator` });
    expect(API_KEYS).toEqual([
      { digest: digestOf(key), tenant: 'shop-1', roles: ['user'] },
      { digest: digestOf(`${key}2`), tenant: 'ops', roles: ['viewer', 'operator'] },
    ]);
    expect(JSON.stringify(API_KEYS)).not.toContain(key);
  });

  it.each([
    ['a short key', `${'k'.repeat(15)}:shop:user`, 'entry 1: expected a key of 16 to 256'],
    ['an invalid tenant', `${key}:Shop:user`, 'entry 1: expected a tenant of a to z'],
    ['an unknown role', `${key}:shop:user+root`, 'entry 1: expected roles of user, viewer, operator, admin'],
    ['no role', `${key}:shop`, 'entry 1: expected key:tenant:role[+role]'],
    ['nothing after a comma', `${key}:shop:user,`, 'entry 2: expected key:tenant:role[+role]'],
    ['a key twice', `${key}:shop:user,${key}:ops:admin`, 'entry 2: expected a key of its own, not that of entry 1'],
  ])('refuses API keys with %s, and does not show them', (_, value, expected) => {
    const read = () => readSettings(['API_KEYS'], { API_KEYS: value });
    expect(read).toThrow(`- API_KEYS: ${expected}`);
    expect(read).toThrow(/got a value that is not shown$/);
    expect(read).not.toThrow(/kkk/);
  });

  it('wants API keys and a signing secret in production', () => {
    const read = (NODE_ENV: string) => () => readSettings(['API_KEYS', 'SIGNING_SECRET'], { NODE_ENV });
    expect(read('test')).not.toThrow();
    expect(read('production')).toThrow('- API_KEYS: expected a value in production');
    expect(read('production')).toThrow('- SIGNING_SECRET: expected a value in production');
    expect(() => readSettings(['PORT'], { NODE_ENV: 'production' })).not.toThrow();
  });

  it.each([
    ['SIGNING_SECRET', 'hidden'],
    ['REDIS_URL', 'http://user:hidden@redis'],
    ['DATABASE_URL', 'mysql://database?password=hidden'],
  ] as const)('does not show the value in a fault of %s', (name, value) => {
    const read = () => readSettings([name], { [name]: value });
    expect(read).toThrow(`- ${name}: expected`);
    expect(read).not.toThrow(/hidden/);
  });

  it.each([
    ['false', false],
    ['1', 1],
    ['', false],
  ])('reads TRUST_PROXY=%s', (text, value) => {
    expect(readSettings(['TRUST_PROXY'], { TRUST_PROXY: text })).toEqual({ TRUST_PROXY: value });
  });

  it('refuses TRUST_PROXY=true: it has to be a number of proxies', () => {
    expect(() => readSettings(['TRUST_PROXY'], { TRUST_PROXY: 'true' })).toThrow('1 to 10, or false, got "true"');
  });

  it('reads exactly the variables that .env.example names', () => {
    const example = readFileSync(join(__dirname, '../../../.env.example'), 'utf8');
    const named = [...example.matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(settings).sort());
  });
});
