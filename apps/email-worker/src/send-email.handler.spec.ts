import { Test } from '@nestjs/testing';
import { runJob } from '@app/testing';
import { EmailRefused, Mailer } from './mailer';
import { SendEmailHandler } from './send-email.handler';
import { Templates } from './templates';

/** A handler is tested like any Nest provider: its dependencies are replaced, and `runJob` runs one attempt. */
describe('SendEmailHandler', () => {
  const sent: unknown[] = [];
  let refuse: Error | undefined;

  const mailer = {
    send: (email: unknown, key: string) => {
      if (refuse) return Promise.reject(refuse);
      sent.push([email, key]);
      return Promise.resolve({ messageId: `<${key}@example.com>` });
    },
  };

  async function handler(): Promise<SendEmailHandler> {
    const module = await Test.createTestingModule({
      providers: [SendEmailHandler, Templates, { provide: Mailer, useValue: mailer }],
    }).compile();
    return module.get(SendEmailHandler);
  }

  beforeEach(() => {
    sent.length = 0;
    refuse = undefined;
  });

  const email = { to: 'ada@example.com', subject: 'Hello', text: 'Hello Ada' };

  it('passes the effect key of the job to the mailer', async () => {
    const id = '019e0000-0000-7000-8000-000000000000';
    const { outcome } = await runJob(await handler(), email, { job: { id, attempt: 3 } });
    expect(outcome).toEqual({ type: 'done', result: { messageId: `<${id}@example.com>` }, committed: false });
    expect(sent).toEqual([[{ ...email, tenant: 'test', html: undefined }, id]]);
  });

  it('returns fail for a permanent refusal, and throws any other error so that the job is retried', async () => {
    refuse = new EmailRefused('550 no such user');
    expect((await runJob(await handler(), email)).outcome).toMatchObject({ type: 'fail', reason: '550 no such user' });
    refuse = new Error('421 come back later');
    await expect(runJob(await handler(), email)).rejects.toThrow('421');
  });

  it('sends nothing after it was aborted', async () => {
    await expect(runJob(await handler(), email, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    expect(sent).toEqual([]);
  });

  it('rejects, in runJob, a payload that the definition does not allow', async () => {
    await expect(runJob(await handler(), { ...email, to: 'nobody' })).rejects.toThrow('expected an email address');
  });
});
