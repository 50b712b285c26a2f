import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { useSearchParams } from 'react-router';
import { answerOf, api } from '../api/client';
import { jobStates, useJobs, type JobFilter, type JobState } from '../api/jobs';
import { JobRow } from '../parts/job-rows';
import { Listing } from '../parts/listing';
import { Page } from '../parts/page';
import { useText } from '../text/language';

export function JobsView() {
  const text = useText();
  const [filter, setFilter] = useFilter();
  const jobs = useJobs({ ...filter, limit: 20 });
  const kinds = useKinds(filter.kind);
  const [stateId, kindId] = [useId(), useId()];
  const isFiltered = filter.state !== undefined || filter.kind !== undefined;
  const next = jobs.data?.nextCursor;
  return (
    <Page title={text.jobs.title} lead={text.jobs.lead}>
      <div className="filters">
        <div className="field">
          <label htmlFor={stateId}>{text.jobs.state}</label>
          <select
            id={stateId}
            value={filter.state ?? ''}
            onChange={({ target }) => setFilter({ ...filter, state: target.value })}
          >
            <option value="">{text.jobs.anyState}</option>
            {jobStates.map((state) => (
              <option key={state} value={state}>
                {text.states[state]}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={kindId}>{text.jobs.kind}</label>
          <select
            id={kindId}
            value={filter.kind ?? ''}
            onChange={({ target }) => setFilter({ ...filter, kind: target.value })}
          >
            <option value="">{text.jobs.anyKind}</option>
            {kinds.map((kind) => (
              <option key={kind}>{kind}</option>
            ))}
          </select>
        </div>
      </div>
      <section className="card" aria-label={text.jobs.title}>
        <Listing query={jobs} rows={jobs.data?.items} none={isFiltered ? text.jobs.noneFiltered : text.jobs.none}>
          {(job) => <JobRow key={job.id} job={job} />}
        </Listing>
      </section>
      <div className="pages">
        {filter.cursor !== undefined && (
          <button type="button" onClick={() => setFilter({ ...filter, cursor: '' })}>
            {text.jobs.newest}
          </button>
        )}
        {next != null && (
          <button type="button" onClick={() => setFilter({ ...filter, cursor: next })}>
            {text.jobs.older}
          </button>
        )}
      </div>
    </Page>
  );
}

/** The kinds of the newest 100 jobs, and the chosen kind. */
function useKinds(chosen: string | undefined): string[] {
  const { data } = useQuery({
    queryKey: ['kinds'],
    queryFn: () => answerOf(api.GET('/v1/jobs', { params: { query: { limit: 100 } } })),
    staleTime: 10_000,
  });
  const seen = (data?.items ?? []).map(({ kind }) => kind);
  return [...new Set(chosen === undefined ? seen : [...seen, chosen])].sort();
}

/** Keeps the filter in the URL, so that users can bookmark and share it. */
function useFilter(): [JobFilter, (filter: Readonly<Record<string, string | number>>) => void] {
  const [parameters, setParameters] = useSearchParams();
  const filter = Object.fromEntries(
    ['state', 'kind', 'cursor'].flatMap((name) => {
      const value = parameters.get(name);
      return value ? [[name, value]] : [];
    }),
  ) as { state?: JobState; kind?: string; cursor?: string };
  const set = (wanted: Readonly<Record<string, string | number>>) =>
    setParameters(
      Object.fromEntries(
        Object.entries(wanted).flatMap(([name, value]) => (value === '' ? [] : [[name, String(value)]])),
      ),
    );
  return [filter, set];
}
