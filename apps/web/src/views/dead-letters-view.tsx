import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import { answerOf, api } from '../api/client';
import { refreshLists } from '../api/live';
import { useMayRedriveMany } from '../api/redrives';
import { TextField } from '../parts/field';
import { Listing } from '../parts/listing';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { useTime } from '../text/time';
import { Redrives } from './redrives';

export function DeadLettersView() {
  const { deadLetters: text, redrives } = useText();
  const [typed, setTyped] = useState('');
  const search = useSettled(typed);
  const letters = useQuery({
    queryKey: ['dead-letters', 'list', search],
    queryFn: () => readDeadLetters(search),
    placeholderData: keepPreviousData,
    refetchInterval: 2_000,
  });
  const redrive = useRedrive();
  const mayRedriveMany = useMayRedriveMany();
  const open = letters.data?.items.filter(isRedrivable) ?? [];
  const all = (
    <div className="actions">
      {mayRedriveMany && <a href="#redrives">{redrives.title}</a>}
      {open.length > 1 && (
        <button type="button" onClick={() => redrive.mutate(open.map(({ id }) => id))} disabled={redrive.isPending}>
          {text.redriveAll}
        </button>
      )}
    </div>
  );
  return (
    <Page title={text.title} lead={text.lead} action={all}>
      <ProblemNote error={redrive.error} />
      <p className="quiet" aria-live="polite">
        {redrive.data && text.result(redrive.data.redriven.length, redrive.data.refused.length)}
      </p>
      <section className="card spaced" aria-label={text.title}>
        <TextField
          label={text.search}
          hint={text.searchHint}
          name="search"
          type="search"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Listing query={letters} rows={letters.data?.items} none={text.none}>
          {(letter) => <DeadLetter key={letter.id} letter={letter} onRedrive={() => redrive.mutate([letter.id])} />}
        </Listing>
      </section>
      {mayRedriveMany && <Redrives letters={letters.data?.items ?? []} />}
    </Page>
  );
}

/** The text when it has not changed for 400 ms: not every key is a request. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 400);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

type Letter = Awaited<ReturnType<typeof readDeadLetters>>['items'][number];

function readDeadLetters(search: string) {
  const query = { limit: 50, ...(search.trim() !== '' && { search: search.trim().slice(0, 100) }) };
  return answerOf(api.GET('/v1/dead-letters', { params: { query } }));
}

const isRedrivable = ({ redrivenAt, discardedAt, jobId }: Letter) =>
  redrivenAt === null && discardedAt === null && jobId !== null;

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
        {letter.discardedAt !== null && <span className="quiet">{text.discarded(time.at(letter.discardedAt))}</span>}
        <Link to={`/app/dead-letters/${letter.id}`}>{text.open}</Link>
        {isRedrivable(letter) && (
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
