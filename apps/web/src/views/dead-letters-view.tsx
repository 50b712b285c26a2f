import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { answerOf, api } from '../api/client';
import { refreshLists } from '../api/live';
import { Listing } from '../parts/listing';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { useTime } from '../text/time';

export function DeadLettersView() {
  const { deadLetters: text } = useText();
  const letters = useQuery({
    queryKey: ['dead-letters'],
    queryFn: readDeadLetters,
    refetchInterval: 2_000,
  });
  const redrive = useRedrive();
  const open = letters.data?.items.filter(({ redrivenAt, jobId }) => redrivenAt === null && jobId !== null) ?? [];
  const all = open.length > 1 && (
    <button type="button" onClick={() => redrive.mutate(open.map(({ id }) => id))} disabled={redrive.isPending}>
      {text.redriveAll}
    </button>
  );
  return (
    <Page title={text.title} lead={text.lead} action={all}>
      <ProblemNote error={redrive.error} />
      <p className="quiet" aria-live="polite">
        {redrive.data && text.result(redrive.data.redriven.length, redrive.data.refused.length)}
      </p>
      <section className="card" aria-label={text.title}>
        <Listing query={letters} rows={letters.data?.items} none={text.none}>
          {(letter) => <DeadLetter key={letter.id} letter={letter} onRedrive={() => redrive.mutate([letter.id])} />}
        </Listing>
      </section>
    </Page>
  );
}

type Letter = Awaited<ReturnType<typeof readDeadLetters>>['items'][number];

function readDeadLetters() {
  return answerOf(api.GET('/v1/dead-letters', { params: { query: { limit: 50 } } }));
}

function DeadLetter({ letter, onRedrive }: { letter: Letter; onRedrive: () => void }) {
  const { deadLetters: text } = useText();
  const time = useTime();
  return (
    <li className="row dead-letter">
      <span className="row-main">
        {letter.jobId === null ? (
          <strong>{text.unreadable}</strong>
        ) : (
          <Link to={`/app/jobs/${letter.jobId}`}>{letter.kind ?? letter.jobId}</Link>
        )}
        <span className="quiet">
          <code>{letter.reason}</code> {letter.detail}
        </span>
      </span>
      <span className="row-side">{letter.broker}</span>
      <time className="row-side" dateTime={letter.at}>
        {time.at(letter.at)}
      </time>
      <span className="row-end">
        {letter.redrivenAt !== null && <span className="quiet">{text.redriven(time.at(letter.redrivenAt))}</span>}
        {letter.redrivenAt === null && letter.jobId !== null && (
          <button type="button" className="button-small" onClick={onRedrive}>
            {text.redrive}
          </button>
        )}
      </span>
    </li>
  );
}

function useRedrive() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (ids: string[]) => answerOf(api.POST('/v1/dead-letters/redrive', { body: { ids } })),
    onSettled: () => refreshLists(queries),
  });
}
