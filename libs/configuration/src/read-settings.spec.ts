import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from './api-keys';
import { readSettings } from './read-settings';
import { settings } from './settings';

describe('settings', () => {
  it('an empty variable is one that is not set', () => {
    expect(readSettings(['PORT', 'REDIS_URL'], { PORT: '', REDIS_URL: '' })).toEqual({
      PORT: 3000,
      REDIS_URL: undefined,
    });
  });

  it('reads what was asked for, in its type', () => {
    expect(readSettings(['PORT'], { PORT: '8080', LEASE_MS: 'nonsense' })).toEqual({ PORT: 8080 });
  });

  it('names every fault at once, with what was expected and what came', () => {
    const read = () => readSettings(['PORT', 'DATABASE_URL', 'LOG_LEVEL'], { PORT: '0', LOG_LEVEL: 'loud' });
    expect(read).toThrow('- PORT: ');
    expect(read).toThrow('got "0"');
    expect(read).toThrow('- DATABASE_URL: expected a URL that starts with postgres:// or postgresql://, got nothing');
    expect(read).toThrow('- LOG_LEVEL: ');
  });

  it.each(['DATABASE_URL', 'RABBITMQ_URL', 'KAFKA_PASSWORD'] as const)(
    'production refuses the password of development in %s, and does not show it',
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

  it('wants a password of Kafka beside its user, and a user beside its password', () => {
    const names = ['KAFKA_USERNAME', 'KAFKA_PASSWORD'] as const;
    expect(() => readSettings(names, { KAFKA_USERNAME: 'queue' })).toThrow('KAFKA_USERNAME and KAFKA_PASSWORD');
    expect(() => readSettings(names, { KAFKA_PASSWORD: 'x' })).toThrow('KAFKA_USERNAME and KAFKA_PASSWORD');
    expect(() => readSettings(names, { KAFKA_USERNAME: 'queue', KAFKA_PASSWORD: 'x' })).not.toThrow();
  });

  it('production has no fail points', () => {
    const environment = { FAIL_POINT: 'handled:3' };
    expect(readSettings(['FAIL_POINT'], environment)).toEqual({ FAIL_POINT: { at: 'handled', nth: 3 } });
    expect(() => readSettings(['FAIL_POINT'], { ...environment, NODE_ENV: 'production' })).toThrow('FAIL_POINT: ');
  });

  it('production has no hosts that webhooks may go to whatever they are', () => {
    const environment = { WEBHOOK_ALLOW_HOSTS: 'localhost,::1' };
    expect(readSettings(['WEBHOOK_ALLOW_HOSTS'], environment)).toEqual({ WEBHOOK_ALLOW_HOSTS: ['localhost', '::1'] });
    expect(() => readSettings(['WEBHOOK_ALLOW_HOSTS'], { ...environment, NODE_ENV: 'production' })).toThrow(
      'WEBHOOK_ALLOW_HOSTS: ',
    );
  });

  const key = 'k'.repeat(16);

  it('reads API keys, and keeps their digests only', () => {
    const { API_KEYS } = readSettings(['API_KEYS'], { API_KEYS: `${key}:shop-1:user, ${key}2:ops:viewer+operator` });
    expect(API_KEYS).toEqual([
      { digest: digestOf(key), tenant: 'shop-1', roles: ['user'] },
      { digest: digestOf(`${key}2`), tenant: 'ops', roles: ['viewer', 'operator'] },
    ]);
    expect(JSON.stringify(API_KEYS)).not.toContain(key);
  });

  it.each([
    ['a short key', `${'k'.repeat(15)}:shop:user`, 'entry 1: expected a key of 16 to 256'],
    ['a tenant that is none', `${key}:Shop:user`, 'entry 1: expected a tenant of a to z'],
    ['an unknown role', `${key}:shop:user+root`, 'entry 1: expected roles of user, viewer, operator, admin'],
    ['no role', `${key}:shop`, 'entry 1: expected key:tenant:role[+role]'],
    ['nothing after a comma', `${key}:shop:user,`, 'entry 2: expected key:tenant:role[+role]'],
    ['a key twice', `${key}:shop:user,${key}:ops:admin`, 'entry 2: expected a key of its own, not that of entry 1'],
  ])('API keys with %s are refused, and not shown', (_, value, expected) => {
    const read = () => readSettings(['API_KEYS'], { API_KEYS: value });
    expect(read).toThrow(`- API_KEYS: ${expected}`);
    expect(read).toThrow(/got a value that is not shown$/);
    expect(read).not.toThrow(/kkk/);
  });

  it('production is not without keys and secret', () => {
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
  ] as const)('a fault of %s does not show what it may hold', (name, value) => {
    const read = () => readSettings([name], { [name]: value });
    expect(read).toThrow(`- ${name}: expected`);
    expect(read).not.toThrow(/hidden/);
  });

  it.each([
    ['false', false],
    ['1', 1],
    ['', false],
  ])('TRUST_PROXY=%s', (text, value) => {
    expect(readSettings(['TRUST_PROXY'], { TRUST_PROXY: text })).toEqual({ TRUST_PROXY: value });
  });

  it('TRUST_PROXY is a number of proxies, not all of them', () => {
    expect(() => readSettings(['TRUST_PROXY'], { TRUST_PROXY: 'true' })).toThrow('1 to 10, or false, got "true"');
  });

  it('.env.example names them all, and nothing else', () => {
    const example = readFileSync(join(__dirname, '../../../.env.example'), 'utf8');
    const named = [...example.matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(settings).sort());
  });
});
