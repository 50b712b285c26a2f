import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ask } from '../api/client';
import { useHasRoute } from '../api/routes';
import { Listing } from '../parts/listing';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { useTime } from '../text/time';

/** The requests that the built-in receiver has received. Production has no such receiver. */
interface Received {
  readonly url: string;
  readonly items: readonly {
    readonly webhookId: string;
    readonly receivedAt: string;
    readonly body: { readonly type: string };
  }[];
}

/** Shows the URL of the API's built-in receiver, and the requests that it has received. */
export function TryWebhooks() {
  const { tryWebhooks: text } = useText();
  const time = useTime();
  const queries = useQueryClient();
  const hasReceiver = useHasRoute()('GET /dev/webhook-receiver');
  const received = useQuery({
    queryKey: ['webhook-receiver'],
    queryFn: async () => (await ask('/dev/webhook-receiver')).body as Received,
    enabled: hasReceiver,
    refetchInterval: 2_000,
  });
  const add = useMutation({
    mutationFn: (url: string) => ask('/v1/webhooks', { method: 'POST', body: { url } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['webhooks'] }),
  });
  if (!hasReceiver || !received.data) return null;
  const { url, items } = received.data;
  return (
    <section className="card" aria-labelledby="try-webhooks">
      <h2 id="try-webhooks">{text.title}</h2>
      <p>{text.lead}</p>
      <div className="row">
        <code className="row-main">{url}</code>
        <button type="button" className="button-small row-end" onClick={() => add.mutate(url)}>
          {text.add}
        </button>
      </div>
      <ProblemNote error={add.error} />
      <Listing query={received} rows={items} none={text.none}>
        {({ webhookId, receivedAt, body }) => (
          <li className="row" key={`${webhookId} ${receivedAt}`}>
            <span className="row-main">
              {body.type} <code>{webhookId.slice(-12)}</code>
            </span>
            <time className="row-side row-end" dateTime={receivedAt}>
              {time.at(receivedAt)}
            </time>
          </li>
        )}
      </Listing>
    </section>
  );
}
