import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { answerOf, api } from '../api/client';
import { refreshLists } from '../api/live';
import { ProblemError } from '../api/problem';
import { TextArea, TextField } from '../parts/field';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/problem-note';
import { ServerForm } from '../parts/server-form';
import { useText } from '../text/language';
import { useTime } from '../text/time';

export function DeadLetterView() {
  const text = useText();
  const { id = '' } = useParams();
  const { data: letter, error } = useQuery({ queryKey: ['dead-letters', id], queryFn: () => readDeadLetter(id) });
  const back = (
    <Link className="back" to="/app/dead-letters">
      <Icon name="back" />
      {text.deadLetters.title}
    </Link>
  );
  if (!letter) {
    return (
      <Page title={text.deadLetters.title} action={back}>
        {error ? <ProblemNote error={error} /> : <p className="quiet">{text.loading}</p>}
      </Page>
    );
  }
  const isOpen = letter.redrivenAt === null && letter.discardedAt === null;
  return (
    <Page
      title={letter.kind ?? text.deadLetters.unreadable}
      action={back}
      lead={<code className="whole-id">{letter.id}</code>}
    >
      <Story letter={letter} />
      {isOpen && letter.jobId !== null && <Redrive letter={letter} />}
      {isOpen && <Discard letter={letter} />}
      <Audit id={letter.id} />
    </Page>
  );
}

type Letter = Awaited<ReturnType<typeof readDeadLetter>>;

function readDeadLetter(id: string) {
  return answerOf(api.GET('/v1/dead-letters/{id}', { params: { path: { id } } }));
}

/** What happened to the message or the job, and what became of it. */
function Story({ letter }: { letter: Letter }) {
  const { deadLetters: text } = useText();
  const time = useTime();
  return (
    <section className="card spaced" aria-labelledby="story">
      <h2 id="story">{text.story}</h2>
      <div className="note note-bad">
        <p>
          <code>{letter.reason}</code> {letter.detail}
        </p>
      </div>
      {letter.errors.length > 0 && (
        <ol className="history">
          {letter.errors.map(({ at, attempt, error }, place) => (
            <li key={place}>
              <time dateTime={at}>{time.at(at)}</time> <strong>{text.attempt(attempt)}</strong>{' '}
              <code>{error.code}</code> {error.message}
            </li>
          ))}
        </ol>
      )}
      {letter.jobId !== null && (
        <p>
          <Link to={`/app/jobs/${letter.jobId}`}>{text.job}</Link>
        </p>
      )}
      {letter.rawBytes !== null && (
        <p>
          <a href={`/v1/dead-letters/${letter.id}/raw`}>{text.raw(letter.rawBytes)}</a>
        </p>
      )}
      {letter.redrivenFrom !== null && (
        <p>
          <Link to={`/app/dead-letters/${letter.redrivenFrom}`}>{text.redrivenFrom}</Link>
        </p>
      )}
      {letter.redrivenAt !== null && (
        <p role="status">
          {text.redriven(time.at(letter.redrivenAt))}{' '}
          {letter.redrivenAs !== null && <Link to={`/app/jobs/${letter.redrivenAs}`}>{text.redrivenAs}</Link>}
        </p>
      )}
      {letter.discardedAt !== null && (
        <p role="status">
          {text.discarded(time.at(letter.discardedAt))} <q>{letter.discardReason}</q>
        </p>
      )}
    </section>
  );
}

/** The job again as it was, or a new job with the payload that the form holds. */
function Redrive({ letter }: { letter: Letter }) {
  const { deadLetters: text } = useText();
  const refresh = useRefresh();
  const redrive = (body: { payload?: Record<string, unknown> }) =>
    answerOf(api.POST('/v1/dead-letters/{id}/redrive', { params: { path: { id: letter.id } }, body }));
  const same = useMutation({ mutationFn: () => redrive({}), onSettled: refresh });

  async function withPayload({ payload }: Record<string, unknown>): Promise<undefined> {
    await redrive({ payload: parsed(String(payload), text.notJson) });
    await refresh();
  }

  return (
    <section className="card spaced" aria-labelledby="redrive">
      <h2 id="redrive">{text.redrive}</h2>
      <p>{text.sameLead}</p>
      <div className="actions">
        <button type="button" onClick={() => same.mutate()} disabled={same.isPending}>
          {text.redriveSame}
        </button>
        <ProblemNote error={same.error} />
      </div>
      <p className="note">{text.editLead}</p>
      <ServerForm submitLabel={text.redriveEdited} onSubmit={withPayload}>
        <TextArea
          label={text.payload}
          name="payload"
          rows={8}
          spellCheck={false}
          defaultValue={JSON.stringify(letter.payload, null, 2)}
        />
      </ServerForm>
    </section>
  );
}

/** @throws ProblemError about the field `payload` when the text is no JSON object */
function parsed(json: string, message: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // The same answer as for JSON that is no object.
  }
  throw new ProblemError(400, { title: '', code: 'not_json', detail: message, errors: [{ path: 'payload', message }] });
}

function Discard({ letter }: { letter: Letter }) {
  const { deadLetters: text } = useText();
  const refresh = useRefresh();

  async function discard({ reason }: Record<string, unknown>): Promise<undefined> {
    const params = { path: { id: letter.id } };
    await answerOf(
      api.POST('/v1/dead-letters/{id}/discard', { params, body: { reason: typeof reason === 'string' ? reason : '' } }),
    );
    await refresh();
  }

  return (
    <section className="card spaced" aria-labelledby="discard">
      <h2 id="discard">{text.discard}</h2>
      <p>{text.discardLead}</p>
      <ServerForm submitLabel={text.discard} onSubmit={discard}>
        <TextField label={text.reason} name="reason" />
      </ServerForm>
    </section>
  );
}

/** What operators did with the dead letter. Empty for a caller who may not read it. */
function Audit({ id }: { id: string }) {
  const { deadLetters: text } = useText();
  const time = useTime();
  const audit = useQuery({
    queryKey: ['dead-letters', id, 'audit'],
    queryFn: () => answerOf(api.GET('/v1/audit', { params: { query: { subject: id } } })),
    retry: false,
  });
  if (!audit.data || audit.data.items.length === 0) return null;
  return (
    <section className="card" aria-labelledby="audit">
      <h2 id="audit">{text.audit}</h2>
      <ol className="history">
        {audit.data.items.map((entry) => (
          <li key={entry.id}>
            <time dateTime={entry.at}>{time.at(entry.at)}</time> <strong>{entry.actor}</strong>{' '}
            <code>{entry.action}</code> <code>{JSON.stringify(entry.detail)}</code>
          </li>
        ))}
      </ol>
    </section>
  );
}

function useRefresh() {
  const queries = useQueryClient();
  return () => {
    refreshLists(queries);
    return queries.invalidateQueries({ queryKey: ['dead-letters'] });
  };
}
