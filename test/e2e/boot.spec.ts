import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectFolder } from '../support/postgres';
import { npmStart } from '../support/start';

const secret = 'a-secret-that-nobody-prints';

/** Runs the API in a separate process, which has to exit by itself. */
function startApi(environment: Record<string, string>) {
  return spawnSync(process.execPath, [join(projectFolder, 'dist/apps/api/src/main.js')], {
    env: { PATH: process.env['PATH'], ...environment },
    encoding: 'utf8',
    timeout: 30_000,
  });
}

describe('in production', () => {
  it('the API names all missing settings at once and does not start', () => {
    const { status, stderr } = startApi({ NODE_ENV: 'production' });
    expect(status).toBe(1);
    for (const name of ['API_KEYS', 'SIGNING_SECRET', 'DATABASE_URL']) expect(stderr).toContain(`- ${name}: expected `);
  });

  it('the API says what is wrong with a secret and does not show the secret', () => {
    const { status, stdout, stderr } = startApi({
      NODE_ENV: 'production',
      API_KEYS: `${secret}:shop:root,${secret}:shop:user`,
      SIGNING_SECRET: secret,
      DATABASE_URL: `mysql://ada:${secret}@localhost/queue`,
    });
    expect(status).toBe(1);
    expect(stderr).toContain('- API_KEYS: entry 1: expected roles of user, viewer, operator, admin');
    expect(stderr).toContain('- API_KEYS: entry 2: expected a key of its own, not that of entry 1');
    expect(stderr).toContain('- SIGNING_SECRET: expected at least 32 characters, got a value that is not shown');
    expect(stderr).toContain('- DATABASE_URL: expected a URL that starts with postgres://');
    expect(stdout + stderr).not.toContain(secret);
  });

  it('npm start names all faults, shows no secret and does not start', async () => {
    const refused = await npmStart({ NODE_ENV: 'production', API_KEYS: secret }, { untilReady: false });
    if (refused.process.exitCode === null) await once(refused.process, 'exit');
    expect(refused.process.exitCode).toBe(1);
    expect(refused.output()).toContain('- API_KEYS: entry 1: expected key:tenant:role[+role]');
    for (const name of ['SIGNING_SECRET', 'DATABASE_URL']) expect(refused.output()).toContain(`- ${name}: expected `);
    expect(refused.output()).not.toContain(secret);
  });
});

describe('a queue that is moved to a broker without an address', () => {
  const moved = { JOB_BROKERS: 'email=kafka,nothing=bullmq' };
  const says = (text: string) => {
    expect(text).toContain('- JOB_BROKERS: "email=kafka" names a broker that is not configured');
    expect(text).toMatch(/- JOB_BROKERS: expected one of the queues email, sms.*, got "nothing"/);
  };

  it('keeps the API from starting', () => {
    const { status, stderr } = startApi({ ...moved, DATABASE_URL: 'postgres://localhost/queue' });
    expect(status).toBe(1);
    says(stderr);
  });

  it('keeps npm start from starting any process', async () => {
    const refused = await npmStart(moved, { untilReady: false });
    if (refused.process.exitCode === null) await once(refused.process, 'exit');
    expect(refused.process.exitCode).toBe(1);
    says(refused.output());
  });
});
