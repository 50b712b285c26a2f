import { useQueryClient } from '@tanstack/react-query';
import { refreshLists } from '../api/live';
import { postJob, type Accepted } from '../api/jobs';
import { ServerForm } from '../parts/server-form';
import { useText } from '../text/language';
import type { Kind } from './kinds';
import { OptionFields } from './option-fields';
import { toMultipart } from './read-form';

export interface Sent extends Accepted {
  /** The time from the click to the answer, in ms. */
  readonly ms: number;
}

interface JobFormProps {
  readonly kind: Kind;
  /** Runs before the request is sent. */
  readonly onSend: () => void;
  /** Runs when the API has accepted the job. */
  readonly onSent: (sent: Sent) => void;
}

export function JobForm({ kind, onSend, onSent }: JobFormProps) {
  const text = useText();
  const queries = useQueryClient();

  async function send({ 'Idempotency-Key': key, ...body }: Record<string, unknown>): Promise<undefined> {
    onSend();
    const startedAt = performance.now();
    const accepted = await postJob(kind.path, kind.isMultipart ? toMultipart(body) : body, key as string | undefined);
    queries.setQueryData(['job', accepted.job.id], accepted.job);
    refreshLists(queries);
    onSent({ ...accepted, ms: Math.round(performance.now() - startedAt) });
  }

  return (
    <ServerForm submitLabel={text.send.submit[kind.name]} onSubmit={send}>
      <kind.Fields />
      <OptionFields />
    </ServerForm>
  );
}
