import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ask } from '../api/client';
import {
  enableWebhook,
  readDeliveries,
  readWebhooks,
  removeWebhook,
  resend,
  rotateSecret,
  testWebhook,
  type Delivery,
  type Webhook,
} from '../api/webhooks';
import { TextField } from '../parts/field';
import { Listing } from '../parts/listing';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/problem-note';
import { ServerForm } from '../parts/server-form';
import { StateBadge } from '../parts/state-badge';
import { useText } from '../text/language';
import { useTime } from '../text/time';
import { TryWebhooks } from './try-webhooks';

export function WebhooksView() {
  const { webhooks: text } = useText();
  const webhooks = useQuery({ queryKey: ['webhooks'], queryFn: readWebhooks });
  /** The secrets that were made on this page. The server shows a secret only once. */
  const [secrets, setSecrets] = useState<Readonly<Record<string, string>>>({});
  const keep = ({ id, secret }: WithSecret) => setSecrets((before) => ({ ...before, [id]: secret }));
  return (
    <Page title={text.title} lead={text.lead}>
      <AddWebhook onAdded={keep} />
      <TryWebhooks />
      <section className="card" aria-label={text.title}>
        <Listing query={webhooks} rows={webhooks.data} none={text.none}>
          {(webhook) => (
            <WebhookRow key={webhook.id} webhook={webhook} secret={secrets[webhook.id]} onNewSecret={keep} />
          )}
        </Listing>
      </section>
    </Page>
  );
}

type WithSecret = Webhook & { readonly secret: string };

function AddWebhook({ onAdded }: { onAdded: (webhook: WithSecret) => void }) {
  const { webhooks: text } = useText();
  const queries = useQueryClient();

  async function add(body: Record<string, unknown>): Promise<string> {
    const added = (await ask('/v1/webhooks', { method: 'POST', body })).body as WithSecret;
    onAdded(added);
    // Adds the row at once, so that the secret is visible even if the list cannot be read again.
    queries.setQueryData<Webhook[]>(['webhooks'], (before = []) => [...before, added]);
    void queries.invalidateQueries({ queryKey: ['webhooks'] });
    return text.added;
  }

  return (
    <section className="card" aria-labelledby="add-webhook">
      <h2 id="add-webhook">{text.addTitle}</h2>
      <ServerForm submitLabel={text.create} onSubmit={add}>
        <TextField label={text.url} name="url" type="url" placeholder="https://shop.example.com/hooks" />
      </ServerForm>
    </section>
  );
}

function Secret({ secret }: { secret: string | undefined }) {
  const { webhooks: text } = useText();
  if (secret === undefined) return null;
  return (
    <p className="note" role="status">
      {text.secret}: <code>{secret}</code>
    </p>
  );
}

interface WebhookRowProps {
  readonly webhook: Webhook;
  readonly secret: string | undefined;
  readonly onNewSecret: (webhook: WithSecret) => void;
}

function WebhookRow({ webhook, secret, onNewSecret }: WebhookRowProps) {
  const { id, url, disabledAt, disabledReason } = webhook;
  const { webhooks: text } = useText();
  const queries = useQueryClient();
  const actions = {
    test: () => testWebhook(id),
    rotate: async () => onNewSecret(await rotateSecret(id)),
    ...(disabledAt !== null && { enable: () => enableWebhook(id) }),
    remove: () => removeWebhook(id),
  };
  // All actions share one mutation, so the next action removes the error of the last one.
  const action = useMutation({
    mutationFn: async (act: () => Promise<unknown>) => act(),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['deliveries', id] });
      return queries.invalidateQueries({ queryKey: ['webhooks'] });
    },
  });
  return (
    <li className="webhook">
      <div className="row">
        <span className="row-main">
          <strong>{url}</strong>
          <code>{id.slice(-12)}</code>
        </span>
        <span className="row-end actions">
          {Object.entries(actions).map(([name, act]) => (
            <button key={name} type="button" className="button-small" onClick={() => action.mutate(act)}>
              {text[name as keyof typeof actions]}
              <span className="visually-hidden"> {url}</span>
            </button>
          ))}
        </span>
      </div>
      {disabledReason !== null && <p className="note note-bad">{disabledReason}</p>}
      <Secret secret={secret} />
      <ProblemNote error={action.error} />
      <Deliveries webhookId={id} />
    </li>
  );
}

function Deliveries({ webhookId }: { webhookId: string }) {
  const { webhooks: text } = useText();
  const deliveries = useQuery({
    queryKey: ['deliveries', webhookId],
    queryFn: () => readDeliveries(webhookId),
    refetchInterval: 2_000,
  });
  return (
    <div className="deliveries">
      <h3>{text.deliveries}</h3>
      <Listing query={deliveries} rows={deliveries.data} none={text.noDeliveries}>
        {(delivery) => <DeliveryRow key={delivery.jobId} webhookId={webhookId} delivery={delivery} />}
      </Listing>
    </div>
  );
}

function DeliveryRow({ webhookId, delivery }: { webhookId: string; delivery: Delivery }) {
  const { webhooks: text } = useText();
  const time = useTime();
  const queries = useQueryClient();
  const { jobId, type, state, createdAt, attempts } = delivery;
  const again = useMutation({
    mutationFn: () => resend(webhookId, jobId),
    onSettled: () => queries.invalidateQueries({ queryKey: ['deliveries', webhookId] }),
  });
  return (
    <li className="row">
      <span className="row-main">
        <Link to={`/app/jobs/${jobId}`}>{type}</Link>
        <span className="quiet">{attempts.map(({ status, error }) => status ?? error).join(' · ')}</span>
        <ProblemNote error={again.error} />
      </span>
      <StateBadge state={state} />
      <time className="row-side row-end" dateTime={createdAt}>
        {time.at(createdAt)}
      </time>
      <button type="button" className="button-small row-end" onClick={() => again.mutate()}>
        {text.resend}
        <span className="visually-hidden"> {jobId.slice(-12)}</span>
      </button>
    </li>
  );
}
