import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { refreshLists } from '../api/live';
import { postJob, type Accepted } from '../api/jobs';
import type { JobRoute } from '../api/routes';
import { ServerForm } from '../parts/server-form';
import { known, useText } from '../text/language';
import { EmailFields } from './email-fields';
import { OptionFields } from './option-fields';
import { toMultipart } from './read-form';
import { SchemaFields } from './schema-fields';

/** Forms that are better than the one that the schema gives. Every other kind of job has that one. */
const ownFields: Readonly<Record<string, ReactNode>> = { 'email.send': <EmailFields /> };

export interface Sent extends Accepted {
  /** The time from the click to the answer, in ms. */
  readonly ms: number;
}

interface JobFormProps {
  readonly route: JobRoute;
  /** Runs before the request is sent. */
  readonly onSend: () => void;
  /** Runs when the API has accepted the job. */
  readonly onSent: (sent: Sent) => void;
}

export function JobForm({ route, onSend, onSent }: JobFormProps) {
  const text = useText();
  const queries = useQueryClient();

  async function send({ 'Idempotency-Key': key, ...body }: Record<string, unknown>): Promise<undefined> {
    onSend();
    const startedAt = performance.now();
    const accepted = await postJob(route.path, route.isMultipart ? toMultipart(body) : body, key as string | undefined);
    queries.setQueryData(['job', accepted.job.id], accepted.job);
    refreshLists(queries);
    onSent({ ...accepted, ms: Math.round(performance.now() - startedAt) });
  }

  return (
    <ServerForm submitLabel={known(text.send.submit, route.kind) ?? route.summary} onSubmit={send}>
      {known(ownFields, route.kind) ?? <SchemaFields kind={route.kind} schema={route.body} />}
      <OptionFields />
    </ServerForm>
  );
}
